import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';
import { OLDEST_TOKEN_MS } from '../oauth/token-claims.ts';

export const revokedGrantKeys = declareKeys({
  name: 'revoked-grants',
  type: 'hash',
  content:
    'OAuth clients that an account has shut out, and when (`*`: all of them): tokens of identity providers that were granted before are good for nothing',
  bound: '100 clients; then all count as shut out',
  ttl: '30 days: older tokens are never taken',
});

const ALL = '*';
const MOST = 100;
/** No token names a longer one. */
const LONGEST = 1024;

/** Which clients may not come back by what they were granted until then. */
export class RevokedGrants {
  readonly #keyspace: Keyspace;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  /** `granted`: milliseconds since 1970. */
  async isRevoked(account: Jid, client: string, granted: number): Promise<boolean> {
    const marks = await this.#keyspace.hgetall(revokedGrantKeys.key(account.bareText));
    return [ALL, fieldOf(client)].some((field) => granted <= Number(String(marks.get(field) ?? -1)));
  }

  /** From now on; of all clients where none is named. */
  async add(account: Jid, client: string | undefined, now = Date.now()): Promise<void> {
    const key = revokedGrantKeys.key(account.bareText);
    const isFull = (await this.#keyspace.hlen(key)) >= MOST;
    const field = client === undefined || isFull ? ALL : fieldOf(client);
    await this.#keyspace.hset(key, [[field, Buffer.from(String(now))]]);
    await this.#keyspace.pexpire(key, OLDEST_TOKEN_MS);
  }
}

const fieldOf = (client: string) => `=${client.slice(0, LONGEST)}`;
