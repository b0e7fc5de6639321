import type { Jid } from '@parley/xmpp/jid';

const HOUR_MS = 3_600_000;
const MOST_ADDRESSES = 500_000;

interface Hour {
  /** Milliseconds of a clock that never goes back. */
  readonly until: number;
  readonly met: Set<string>;
}

/**
 * Whom accounts wrote to without knowing them, in an hour that begins with the first. Bounded: of all accounts
 * together, the hours that began first are forgotten first.
 */
export class MetStrangers {
  readonly #hours = new Map<string, Hour>();
  readonly #mostAddresses: number;
  #size = 0;

  constructor(mostAddresses = MOST_ADDRESSES) {
    this.#mostAddresses = mostAddresses;
  }

  /** Addresses that are remembered, of all accounts. */
  get size(): number {
    return this.#size;
  }

  /** False where the account has met `most` others in this hour. */
  meet(account: Jid, stranger: Jid, most: number, now: number): boolean {
    const hour = this.#hourOf(account.bareText, now);
    if (hour.met.has(stranger.bareText)) return true;
    if (hour.met.size >= most) return false;
    hour.met.add(Buffer.from(stranger.bareText).toString()); // a copy: it is a piece of a larger text that came in
    this.#size++;
    this.#forgetOldest(now);
    return true;
  }

  #hourOf(account: string, now: number): Hour {
    const hour = this.#hours.get(account);
    if (hour !== undefined && hour.until > now) return hour;
    this.#forget(account);
    const next = { until: now + HOUR_MS, met: new Set<string>() };
    this.#hours.set(account, next); // what begins anew stands last
    return next;
  }

  #forgetOldest(now: number): void {
    for (const [account, { until }] of this.#hours) {
      if (until > now && this.#size <= this.#mostAddresses) return;
      this.#forget(account);
    }
  }

  #forget(account: string): void {
    this.#size -= this.#hours.get(account)?.met.size ?? 0;
    this.#hours.delete(account);
  }
}
