import type { Blocklist } from './blocklist.ts';

/** What a list costs beside its texts, and one of its texts beside its characters: about as many bytes. */
const OWN_WEIGHT = 100;
const ITEM_WEIGHT = 60;

/**
 * Remembers blocklists by account in bounded memory, the empty ones too: two generations, each of half the weight; when
 * the young one is full it becomes the old one, whose place what is asked for again regains.
 */
export class BlocklistCache {
  readonly #mostWeight: number;
  #young = new Map<string, Blocklist>();
  #old = new Map<string, Blocklist>();
  #weight = 0;

  /** `mostWeight`: about as many bytes. */
  constructor(mostWeight: number) {
    this.#mostWeight = mostWeight;
  }

  get(account: string): Blocklist | undefined {
    const young = this.#young.get(account);
    if (young !== undefined) return young;
    const old = this.#old.get(account);
    if (old !== undefined) this.set(account, old);
    return old;
  }

  set(account: string, list: Blocklist): void {
    this.delete(account);
    this.#young.set(account, list);
    this.#weight += weightOf(account, list);
    if (this.#weight < this.#mostWeight / 2) return;
    this.#old = this.#young;
    this.#young = new Map();
    this.#weight = 0;
  }

  delete(account: string): void {
    const young = this.#young.get(account);
    if (young !== undefined) {
      this.#young.delete(account);
      this.#weight -= weightOf(account, young);
    }
    this.#old.delete(account);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }
}

function weightOf(account: string, list: Blocklist): number {
  let weight = OWN_WEIGHT + account.length;
  for (const jid of list.jids) weight += ITEM_WEIGHT + jid.length;
  return weight;
}
