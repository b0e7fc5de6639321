import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';
import { type PrivateSetResult, privateSet } from './private-set.ts';

export const privateKeys = declareKeys({
  name: 'private',
  type: 'hash',
  content: 'what clients keep for themselves (XEP-0049): namespace → its elements, as XML text',
  bound: '`modules.private-storage.maxBytes`, `modules.private-storage.maxNamespaces`',
  ttl: 'none',
});

export interface PrivateLimits {
  readonly maxBytes: number;
  readonly maxNamespaces: number;
}

/** XML that clients keep on the server, by namespace. */
export class PrivateStore {
  readonly #keyspace: Keyspace;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  /** The XML text that is kept under a namespace. */
  async get(account: Jid, namespace: string): Promise<string | undefined> {
    const text = await this.#keyspace.hget(privateKeys.key(account.bareText), namespace);
    return text?.toString();
  }

  /** Replaces what is kept under these namespaces, all or none; '' takes one away. */
  set(account: Jid, texts: ReadonlyMap<string, string>, limits: PrivateLimits): Promise<PrivateSetResult> {
    const args = [limits.maxBytes, limits.maxNamespaces, ...[...texts].flat()];
    return this.#keyspace.call(privateSet, [privateKeys.key(account.bareText)], args);
  }
}
