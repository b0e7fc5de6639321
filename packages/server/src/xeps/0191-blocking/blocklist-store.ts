import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';
import type { Awaitable } from '../../pipeline.ts';
import { Blocklist } from './blocklist.ts';
import { BlocklistCache } from './blocklist-cache.ts';
import { blockAddresses, unblockAddresses } from './blocklist-operations.ts';

export const blocklistKeys = declareKeys({
  name: 'blocklist',
  type: 'hash',
  content: 'blocked address → nothing',
  bound: '`modules.blocking.maxItems`',
  ttl: 'none',
});

/** About as many bytes as the cached lists may take. */
const CACHE_WEIGHT = 16 * 1024 * 1024;

/** The blocklists of all accounts. */
export class BlocklistStore {
  readonly #keyspace: Keyspace;
  readonly #cache: BlocklistCache;
  readonly #loading = new Map<string, Promise<Blocklist>>();

  constructor(keyspace: Keyspace, cacheWeight = CACHE_WEIGHT) {
    this.#keyspace = keyspace;
    this.#cache = new BlocklistCache(cacheWeight);
  }

  /** The list, where it is at hand. */
  cached(account: Jid): Blocklist | undefined {
    return this.#cache.get(account.bareText);
  }

  /** The list; at once where it is at hand. */
  get(account: Jid): Awaitable<Blocklist> {
    const key = account.bareText;
    return this.#cache.get(key) ?? this.#loading.get(key) ?? this.#load(key);
  }

  #load(key: string): Promise<Blocklist> {
    const loading = this.#keyspace
      .hgetall(blocklistKeys.key(key))
      .then((fields) => {
        const list = fields.size === 0 ? Blocklist.EMPTY : new Blocklist(fields.keys());
        // not if a change has begun meanwhile
        if (this.#loading.get(key) === loading) this.#cache.set(key, list);
        return list;
      })
      .finally(() => {
        if (this.#loading.get(key) === loading) this.#loading.delete(key);
      });
    this.#loading.set(key, loading);
    return loading;
  }

  /** Blocks addresses, all or none, and resolves with those that were not blocked before, or with `full`. */
  block(account: Jid, jids: ReadonlySet<string>, most: number): Promise<string[] | 'full'> {
    this.forget(account);
    return this.#keyspace.call(blockAddresses, [blocklistKeys.key(account.bareText)], [most, ...jids]);
  }

  /** Unblocks addresses, or all where none is named, and resolves with those that were blocked. */
  unblock(account: Jid, jids: ReadonlySet<string>): Promise<string[]> {
    this.forget(account);
    return this.#keyspace.call(unblockAddresses, [blocklistKeys.key(account.bareText)], [...jids]);
  }

  /**
   * Lets go of what is at hand: the list changes. Whoever asks from now on has it read after that change, since the
   * commands of one account are executed in their order.
   */
  forget(account: Jid): void {
    this.#cache.delete(account.bareText);
    this.#loading.delete(account.bareText);
  }
}
