import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';

export const activityKeys = declareKeys({
  name: 'last-activity',
  type: 'string',
  content: 'when a session of the account last ended (XEP-0012), in milliseconds since 1970, a space, and its status',
  bound: 'one for each account, with 1,023 characters of status',
  ttl: 'none',
});

const MOST_STATUS_CHARACTERS = 1023;

export interface Activity {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** What the user said when they left, or ''. */
  readonly status: string;
}

/** When the users of accounts were last there. */
export class ActivityStore {
  readonly #keyspace: Keyspace;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  async get(account: Jid): Promise<Activity | undefined> {
    const text = (await this.#keyspace.get(activityKeys.key(account.bareText)))?.toString();
    if (text === undefined) return undefined;
    const space = text.indexOf(' ');
    return { time: Number(text.slice(0, space)), status: text.slice(space + 1) };
  }

  async set(account: Jid, { time, status }: Activity): Promise<void> {
    await this.#keyspace.set(activityKeys.key(account.bareText), `${time} ${keptStatus(status)}`);
  }
}

/** What is kept of a status. */
export function keptStatus(status: string): string {
  // Cut between characters, since half of a surrogate pair is none; copied, since a part keeps all of its text alive.
  const cut = status.slice(0, MOST_STATUS_CHARACTERS).replace(/[\uD800-\uDBFF]$/, '');
  return Buffer.from(cut).toString();
}
