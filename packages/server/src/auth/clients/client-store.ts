import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';
import { type ClientRecord, decodeClient, encodeClient } from './client-record.ts';
import { replaceClient } from './replace-client.ts';

export const clientKeys = declareKeys({
  name: 'clients',
  type: 'hash',
  content:
    'clients of an account, by the ids that they have: what they are called, when they were there, how they logged in (XEP-0494), of what their tokens are made (XEP-0484)',
  bound: '`authentication.clients.most`',
  ttl: '`authentication.clients.keepSeconds` after the last login, or when the last token has expired',
});

/** Attempts to change what another node changes, too. */
const ATTEMPTS = 5;

export interface ClientLimits {
  readonly most: number;
  /** Milliseconds for which a client is remembered that does not come back. */
  readonly ttl: number;
}

type Change = (record: ClientRecord | undefined) => ClientRecord | undefined;

/** What is kept of the clients of accounts. */
export class ClientStore {
  readonly #keyspace: Keyspace;
  readonly #limits: () => ClientLimits;
  readonly #now: () => number;

  constructor(keyspace: Keyspace, limits: () => ClientLimits, now: () => number = Date.now) {
    this.#keyspace = keyspace;
    this.#limits = limits;
    this.#now = now;
  }

  async get(account: Jid, client: string): Promise<ClientRecord | undefined> {
    return decodeClient(await this.text(account, client));
  }

  /** As it is kept, by which `change` sees whether it is still so; '' where nothing is. */
  async text(account: Jid, client: string): Promise<string> {
    return String((await this.#keyspace.hget(clientKeys.key(account.bareText), client)) ?? '');
  }

  /** All of an account, by their ids. */
  async all(account: Jid): Promise<Map<string, ClientRecord>> {
    const found = await this.#keyspace.hgetall(clientKeys.key(account.bareText));
    return new Map([...found].flatMap(([id, text]) => [[id, decodeClient(String(text)) as ClientRecord]]));
  }

  /**
   * Changes what is kept of a client, atomically: `change` may be asked again. False where it gives nothing to be kept; one
   * that nobody has seen for the longest time makes room for another one. `known`: what was kept a moment ago.
   */
  async change(account: Jid, client: string, change: Change, known?: string): Promise<boolean> {
    const { most, ttl } = this.#limits();
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const before = attempt === 0 && known !== undefined ? known : await this.text(account, client);
      const after = change(decodeClient(before));
      if (after === undefined) return false;
      const args = [client, before, encodeClient(after), most, ttl];
      const outcome = await this.#keyspace.call(replaceClient, [clientKeys.key(account.bareText)], args);
      if (outcome === 'done' && before === '') await this.forget(account);
      if (outcome === 'done') return true;
      if (outcome === 'full') await this.#makeRoom(account);
    }
    return false;
  }

  /** Changes all clients of an account of which something is kept; those of which nothing is left are removed. */
  async changeAll(account: Jid, change: (record: ClientRecord, client: string) => ClientRecord | undefined) {
    for (const client of (await this.all(account)).keys()) {
      let isLeft = true;
      const changed = await this.change(account, client, (record) => {
        const left = record && change(record, client);
        isLeft = left !== undefined;
        return left;
      });
      if (!changed || !isLeft) await this.remove(account, client);
    }
  }

  /** Those that have been away for longer than they are remembered. */
  async forget(account: Jid): Promise<void> {
    const oldest = this.#now() - this.#limits().ttl;
    for (const [client, { seen }] of await this.all(account)) {
      if (seen < oldest) await this.remove(account, client);
    }
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
