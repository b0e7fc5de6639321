import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';
import type { Origin } from '@parley/xmpp/stanza';
import { STORED } from '../../session/origins.ts';
import { sessionKeys } from '../../session/resumption/resumption-keys.ts';
import { type OfflineOutcome, removeOffline, restoreOffline, storeOffline } from './offline-operations.ts';

export const offlineKeys = declareKeys({
  name: 'offline',
  type: 'list',
  content:
    'messages that wait for the account, each as the text of its stanza, behind the session that sent it and its number ' +
    'there where these are known',
  bound: '`offline.maxMessages`, `offline.maxBytes`',
  ttl: 'none',
});

export const offlineStateKeys = declareKeys({
  name: 'offline-state',
  type: 'hash',
  content: 'first (number of the oldest message that waits), bytes (size of all of them)',
  bound: 'two fields, gone with the last message',
  ttl: 'none',
});

export const offlineSenderKeys = declareKeys({
  name: 'offline-senders',
  type: 'hash',
  content:
    'session that sent messages to be kept → the number of its last one, so that it is not kept twice, and when that came; ' +
    '`before` and a session → the same of the last one that was there before messages were put back that had been lost',
  bound: '256 fields; of more, the half that came last stays',
  ttl: '15 min',
});

/** A client that comes back sends again what was not acknowledged within minutes. */
const SENDERS_KEPT_MS = 900_000;

/** A node that takes longer to find a keyspace which has lost something is gone. */
const RESTORED_MS = 20_000;

/** What stands before a message of known origin is shorter. */
const MOST_ORIGIN_BYTES = 32;

/** Messages that one page has at most. */
export const PAGE_MESSAGES = 50;

/** Infinity means no limit. */
export interface OfflineLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
}

/** The oldest messages that wait, each as it is kept (see `readKept`). */
export interface OfflinePage {
  /** The number of the first of them; those that follow count on. */
  readonly first: number;
  readonly texts: readonly Buffer[];
}

/** Messages that wait for accounts that are not online, the oldest first. */
export class OfflineStore {
  readonly #keyspace: Keyspace;

  constructor(keyspace: Keyspace) {
    this.#keyspace = keyspace;
  }

  /**
   * Resolves once the message is kept, or says which limit leaves no room for it. One of the same origin that was kept
   * before is not kept again. Where `look` is true and a session is recorded that gets the account's messages, nothing is
   * kept: that one would not look again.
   */
  add(
    account: Jid,
    text: Buffer,
    { maxMessages, maxBytes }: OfflineLimits,
    origin?: Origin,
    look = false,
  ): Promise<OfflineOutcome> {
    const { bareText } = account;
    const keys = [...keysOf(account), offlineSenderKeys.key(bareText), sessionKeys.key(bareText)];
    const from = [origin?.sid ?? '', origin?.k ?? 0, SENDERS_KEPT_MS, look ? 1 : 0];
    return this.#keyspace.call(storeOffline, keys, [
      keptOf(text, origin),
      limit(maxMessages),
      limit(maxBytes),
      ...from,
    ]);
  }

  /**
   * Puts back a message that a keyspace may have lost, behind all that it has, unless it had it when it lost others. Other nodes
   * may put back later ones of the same sender sooner.
   */
  restore(account: Jid, text: Buffer, origin: Origin): Promise<void> {
    const keys = [...keysOf(account), offlineSenderKeys.key(account.bareText)];
    const { sid, k } = origin;
    const from = [prefixOf(origin), sid, k, SENDERS_KEPT_MS, RESTORED_MS];
    return this.#keyspace.call(restoreOffline, keys, [text, ...from]);
  }

  /** The oldest messages that wait, those before number `from` left out; they go on waiting until they are removed. */
  async page(account: Jid, from = 0): Promise<OfflinePage> {
    const [list = '', state = ''] = keysOf(account);
    for (let known = 0; ; ) {
      const skipped = known === 0 ? 0 : Math.max(0, from - known);
      const [first, texts] = await this.#keyspace.batch(
        [
          ['hget', state, 'first'],
          ['lrange', list, skipped, skipped + PAGE_MESSAGES - 1],
        ],
        { atomic: true },
      );
      const number = Number(first ?? 0);
      if (from <= number || number === known) return { first: number + skipped, texts };
      known = number; // some have been removed meanwhile, or it was not known yet
    }
  }

  /** Takes away the messages before this number and resolves with how many there still were. */
  remove(account: Jid, upTo: number): Promise<number> {
    return this.#keyspace.call(removeOffline, keysOf(account), [upTo]);
  }
}

/** A message as it is kept. */
export const keptOf = (text: Buffer, origin: Origin | undefined): Buffer =>
  origin === undefined ? text : Buffer.concat([prefixOf(origin), text]);

/** What stands before a message of known origin. */
const prefixOf = ({ sid, k }: Origin): Buffer => Buffer.from(`${sid} ${k} `);

/** The text of a kept message, and its origin where that is known. */
export function readKept(kept: Buffer): { text: Buffer; origin: Origin | undefined } {
  const [start, sid = '', k] = /^([0-9a-f]{16}) (\d{1,10}) /.exec(kept.toString('latin1', 0, MOST_ORIGIN_BYTES)) ?? [
    '',
  ];
  return { text: kept.subarray(start.length), origin: sid === '' ? undefined : { sid, k: Number(k), effect: STORED } };
}

const keysOf = ({ bareText }: Jid) => [offlineKeys.key(bareText), offlineStateKeys.key(bareText)];

/** As operations are told a limit. */
export const limit = (most: number) => (Number.isFinite(most) ? most : -1);
