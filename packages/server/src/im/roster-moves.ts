import type { Keys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Jid } from '@parley/xmpp/jid';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { movingKeys } from '../auth/moves/move-keys.ts';
import type { Move, MoveRule } from '../auth/moves/move-rule.ts';
import { HEAD } from './operations/change-roster.ts';
import { moveContact } from './operations/move-contact.ts';
import { settleRoster } from './operations/settle-roster.ts';
import { decodeItem, encodeItem, type RosterItem } from './roster-item.ts';
import { requestKeys, rosterKeys } from './roster-store.ts';
import { isFrom, isTo, subscriptionOf } from './subscription-state.ts';

/** Nobody is a contact of their own: what was said of the new address while it was nobody’s is of no use there. */
const isOwn = (field: string, { to, displaces }: Move) => field === to.bareText && !displaces;

/**
 * What must not be left at the new address, which may have known the former one. Where that has come along, somebody
 * else has the former address by now.
 */
async function ownIn(keyspace: Keyspace, { name }: Keys, { from, to, displaces }: Move): Promise<string[]> {
  const came = await keyspace.hget(movingKeys.key(from.bareText, name), from.bareText);
  return [...(came === undefined ? [from.bareText] : []), ...(displaces ? [] : [to.bareText])];
}

/** What becomes of a roster and of the requests that wait when their account gets another address. */
export const rosterMoves: readonly MoveRule[] = [
  {
    keys: rosterKeys,
    convert: (value, field, move) => (field === HEAD || isOwn(field, move) ? undefined : value),
    async settle(keyspace, move) {
      const own = await ownIn(keyspace, rosterKeys, move);
      await keyspace.call(settleRoster, [rosterKeys.key(move.to.bareText)], own);
    },
  },
  {
    keys: requestKeys,
    convert: (value, field, move) =>
      isOwn(field, move) ? undefined : Buffer.from(stanzaFromText(value).with({ to: move.to }).toString()),
    async settle(keyspace, move) {
      const own = await ownIn(keyspace, requestKeys, move);
      if (own.length > 0) await keyspace.hdel(requestKeys.key(move.to.bareText), ...own);
    },
  },
];

/** How often a change begins anew since somebody else has changed the same contact meanwhile. */
const ATTEMPTS = 20;

/** The contact at its new address, and the version of the roster. */
export interface MovedContact {
  readonly item: RosterItem;
  readonly version: number;
}

/**
 * Gives a contact another address in the roster of an account, with the name, the groups and the subscription that it
 * had. Twice is as good as once. Undefined where the account does not have it.
 */
export async function moveInRoster(keyspace: Keyspace, account: Jid, move: Move): Promise<MovedContact | undefined> {
  await moveRequests(keyspace, account, move);
  let moved: MovedContact | undefined;
  for (const key of placesOf(account, rosterKeys, move)) moved = (await moveIn(keyspace, key, move)) ?? moved;
  return moved;
}

/** Where it is kept, and where it is set aside since the account moves itself; not what is about to move just now. */
function placesOf({ bareText }: Jid, keys: Keys, { from }: Move): string[] {
  const aside = bareText === from.bareText ? [] : [movingKeys.key(bareText, keys.name)];
  return [...aside, keys.key(bareText)];
}

async function moveIn(keyspace: Keyspace, roster: string, { from, to }: Move): Promise<MovedContact | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const [old, next] = await keyspace.batch(
      [
        ['hget', roster, from.bareText],
        ['hget', roster, to.bareText],
      ],
      { atomic: true },
    );
    const [before, there] = [old && decodeItem(from.bareText, old), next && decodeItem(to.bareText, next)];
    if (before === undefined) return there && { item: there, version: there.version };
    const after = there === undefined ? before : mergedItem(before, there);
    const args = [from.bareText, to.bareText, before.version, there?.version ?? '', encodeItem(after)];
    const version = await keyspace.call(moveContact, [roster], args);
    if (version > 0) return { item: { ...after, jid: to, version }, version };
  }
  throw new KeyspaceError('slow', 'A roster changes too often elsewhere to be changed here.');
}

/** The contact was known by both addresses: what was said of the new one stands, and no subscription is lost. */
export function mergedItem(before: RosterItem, there: RosterItem): RosterItem {
  const [to, from] = [isTo, isFrom].map((is) => is(before.subscription) || is(there.subscription)) as [
    boolean,
    boolean,
  ];
  return {
    ...there,
    subscription: subscriptionOf(to, from),
    ask: !to && (before.ask || there.ask),
    approved: before.approved || there.approved,
    name: there.name ?? before.name,
    groups: there.groups.length > 0 ? there.groups : before.groups,
  };
}

/** What the contact has asked of the account waits on, in the name of the new address. */
async function moveRequests(keyspace: Keyspace, account: Jid, move: Move): Promise<void> {
  const { from, to } = move;
  for (const key of placesOf(account, requestKeys, move)) {
    const text = await keyspace.hget(key, from.bareText);
    if (text === undefined) continue;
    const request = stanzaFromText(text).with({ from: to }).toString();
    await keyspace.batch(
      [
        ['hset', key, [[to.bareText, request]]],
        ['hdel', key, from.bareText],
      ],
      { atomic: true },
    );
  }
}
