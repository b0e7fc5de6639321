/** Addresses that are remembered. */
const MOST_ADDRESSES = 1024;

/** So many datagrams a second from each address, and a burst of as many. Whoever hides behind many addresses has them together. */
export class Rate {
  readonly #perSecond: number;
  readonly #now: () => number;
  readonly #left = new Map<string, { tokens: number; at: number }>();

  constructor(perSecond: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  take(address: string): boolean {
    const known = this.#left.has(address) || this.#left.size < MOST_ADDRESSES;
    if (!known) this.#forgetRested();
    const name = known || this.#left.size < MOST_ADDRESSES ? address : 'others';
    const now = this.#now();
    const before = this.#left.get(name) ?? { tokens: this.#perSecond, at: now };
    const tokens = Math.min(this.#perSecond, before.tokens + ((now - before.at) / 1000) * this.#perSecond);
    this.#left.set(name, { tokens: Math.max(0, tokens - 1), at: now });
    return tokens >= 1;
  }

  #forgetRested(): void {
    const now = this.#now();
    for (const [address, { at }] of this.#left) if (now - at >= 1000) this.#left.delete(address);
  }
}
