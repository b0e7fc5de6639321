import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';
import { type ClientRecord, decodeClient, encodeClient } from './client-record.ts';
import { replaceClient } from './replace-client.ts';

export const clientKeys = declareKeys({
  name: 'clients',
  type: 'hash',
  content:
    'clients of an account that were given tokens (XEP-0484), by the ids that they have: what they are called, when they were there, of which their tokens are made',
  bound: '`modules.fast.maxClients`',
  ttl: 'when the last token has expired',
});

/** Attempts to change what another node changes, too. */
const ATTEMPTS = 5;

export interface ClientLimits {
  readonly most: number;
  /** Milliseconds for which the newest token is good. */
  readonly ttl: number;
}

/** The clients of accounts, as they have been given tokens. */
export class ClientStore {
  readonly #keyspace: Keyspace;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  async get(account: Jid, client: string): Promise<ClientRecord | undefined> {
    return decodeClient(await this.#text(account, client));
  }

  async #text(account: Jid, client: string): Promise<string> {
    return String((await this.#keyspace.hget(clientKeys.key(account.bareText), client)) ?? '');
  }

  /** All of an account, by their ids. */
  async all(account: Jid): Promise<Map<string, ClientRecord>> {
    const found = await this.#keyspace.hgetall(clientKeys.key(account.bareText));
    return new Map([...found].flatMap(([id, text]) => [[id, decodeClient(String(text)) as ClientRecord]]));
  }

  /**
   * Changes what is kept of a client, atomically: `change` may be asked again. False where it gives nothing to be kept; one
   * that nobody has seen for the longest time makes room for another one.
   */
  async change(
    account: Jid,
    client: string,
    { most, ttl }: ClientLimits,
    change: (record: ClientRecord | undefined) => ClientRecord | undefined,
  ): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const before = await this.#text(account, client);
      const after = change(decodeClient(before));
      if (after === undefined) return false;
      const args = [client, before, encodeClient(after), most, ttl];
      const outcome = await this.#keyspace.call(replaceClient, [clientKeys.key(account.bareText)], args);
      if (outcome === 'done') return true;
      if (outcome === 'full') await this.#makeRoom(account);
    }
    return false;
  }

  async #makeRoom(account: Jid): Promise<void> {
    const [oldest] = [...(await this.all(account))].sort(([, one], [, other]) => one.seen - other.seen);
    if (oldest !== undefined) await this.remove(account, oldest[0]);
  }

  async remove(account: Jid, client: string): Promise<void> {
    await this.#keyspace.hdel(clientKeys.key(account.bareText), client);
  }

  async removeAll(account: Jid): Promise<void> {
    await this.#keyspace.del(clientKeys.key(account.bareText));
  }
}
