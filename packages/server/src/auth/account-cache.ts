import type { Jid } from '@parley/xmpp/jid';
import type { Awaitable } from '../pipeline.ts';
import type { AccountRecord } from './account-store.ts';

/** About half a kilobyte each. */
const MOST_ENTRIES = 20_000;
/** What another process changed is seen after so many milliseconds at the latest. */
const MAX_AGE = 60_000;

interface Entry<T> {
  readonly record: T | undefined;
  readonly until: number;
}

export interface AccountCacheOptions {
  readonly mostEntries?: number;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** What was read of accounts a while ago, whether they exist or not. */
export class AccountCache<T = AccountRecord> {
  readonly #load: (account: Jid) => Promise<T | undefined>;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #loading = new Map<string, Promise<T | undefined>>();
  readonly #mostEntries: number;
  readonly #now: () => number;

  constructor(load: (account: Jid) => Promise<T | undefined>, options: AccountCacheOptions = {}) {
    this.#load = load;
    this.#mostEntries = options.mostEntries ?? MOST_ENTRIES;
    this.#now = options.now ?? (() => performance.now());
  }

  get size(): number {
    return this.#entries.size;
  }

  /** At once where it is known. */
  get(account: Jid): Awaitable<T | undefined> {
    const key = account.bareText;
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.until > this.#now()) return entry.record;
    return this.#loading.get(key) ?? this.#read(key, account);
  }

  async #read(key: string, account: Jid): Promise<T | undefined> {
    const loading = this.#load(account);
    this.#loading.set(key, loading);
    try {
      const record = await loading;
      // a change in between has forgotten this account: what was read may be older than it
      if (this.#loading.get(key) === loading) this.#keep(key, record);
      return record;
    } finally {
      if (this.#loading.get(key) === loading) this.#loading.delete(key);
    }
  }

  #keep(key: string, record: T | undefined): void {
    this.#entries.delete(key);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < this.#mostEntries) break;
      this.#entries.delete(oldest);
    }
    this.#entries.set(key, { record, until: this.#now() + MAX_AGE });
  }

  /** The account was changed, here or elsewhere. */
  forget(account: Jid): void {
    this.#entries.delete(account.bareText);
    this.#loading.delete(account.bareText);
  }

  /** Anything may have changed. */
  clear(): void {
    this.#entries.clear();
    this.#loading.clear();
  }
}
