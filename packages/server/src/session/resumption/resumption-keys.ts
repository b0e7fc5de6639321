import { PARTITIONS, partition } from '@parley/keyspace/key';
import { declareKeys, type Keys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';

export const sessionKeys = declareKeys({
  name: 'session',
  type: 'hash',
  content:
    'resource → its session: id, epoch, the node that owns it, time to resume (XEP-0198), switches, mechanism, ' +
    'available presence, addressees of directed presence, when it was bound',
  bound: 'the sessions of the account; on an embedded node those that can be resumed',
  ttl: 'none',
});

export const queueKeys = declareKeys({
  name: 'queue',
  type: 'hash',
  content:
    'domain of ours → what goes from it to the other server that the key names, as a session: id, epoch, the node that ' +
    'owns it, and the id of the stream that the other server keeps (XEP-0198)',
  bound: 'domains of ours that speak to that server at the moment',
  ttl: 'none',
});

export const journalKeys = declareKeys({
  name: 'journal',
  scope: 'partition',
  parts: ['session id', 'epoch'],
  type: 'list',
  content:
    'a header (stanzas handled, origins of entries that are gone), then the stanzas that the client, or the other ' +
    'server, has not acknowledged; the epoch counts the owners of the session',
  bound: 'one for each resumable session, of limits.unacknowledged; one for each queue, of federation.queue',
  ttl: 'none',
});

export const handledKeys = declareKeys({
  name: 'handled',
  scope: 'partition',
  parts: ['session id'],
  type: 'string',
  content: 'how many stanzas of a session that ended were handled, in four bytes',
  bound: 'one for each resumable session that ended',
  ttl: '48 h',
});

export const waitingKeys = declareKeys({
  name: 'waiting',
  scope: 'partition',
  parts: ['session id'],
  type: 'list',
  content: 'stanzas that a session which ended left behind, until each is routed anew',
  bound: 'those of its journal',
  ttl: 'none',
});

export const journalCountKeys = declareKeys({
  name: 'journal-counts',
  scope: 'partition',
  type: 'hash',
  content:
    'of journals that are no more: how many entries they ever got (entered), and how many of these were delivered, moved ' +
    'or bounced; and how many were found to be missing',
  bound: 'five fields',
  ttl: 'none',
});

export const sessionIndexKeys = declareKeys({
  name: 'sessions',
  scope: 'partition',
  type: 'set',
  content: 'the sessions that are recorded in this partition: id, epoch, full JID, with spaces between them',
  bound: 'the sessions',
  ttl: 'none',
});

export const queueIndexKeys = declareKeys({
  name: 'queues',
  scope: 'partition',
  type: 'set',
  content:
    'the queues to other servers in this partition: id, epoch, their domain / our domain, with spaces between them',
  bound: 'the queues',
  ttl: 'none',
});

export const waitingIndexKeys = declareKeys({
  name: 'waiting-sessions',
  scope: 'partition',
  type: 'set',
  content:
    'the sessions of this partition that left stanzas behind: id, who ended it, full JID, with spaces between them',
  bound: 'the sessions that ended a moment ago',
  ttl: 'none',
});

/** What goes to another server is a session of its domain, whose resource is the domain of ours that it comes from. */
export const isQueue = (account: Jid): boolean => account.local === '';

/** The records of an account's sessions. */
export const recordsOf = (account: Jid): string => (isQueue(account) ? queueKeys : sessionKeys).key(account.bareText);

/** The index in which they are listed. */
export const indexOf = (account: Jid): string =>
  (isQueue(account) ? queueIndexKeys : sessionIndexKeys).key(partitionOf(account));

/** The partition of an account, as it is given to keys. */
export const partitionOf = (account: Jid): string => String(partition(account.bareText));

/** Partitions of an index that are read at once. */
const PARTITIONS_PER_PAGE = 16;

/** The members of an index of sessions, in pages, whose members are text. */
export async function* members(keyspace: Keyspace, index: Keys): AsyncGenerator<string[], void, undefined> {
  for (let first = 0; first < PARTITIONS; first += PARTITIONS_PER_PAGE) {
    const keys = Array.from({ length: PARTITIONS_PER_PAGE }, (_, offset) => index.key(String(first + offset)));
    const replies = await keyspace.batch(
      keys.map((key) => ['smembers', key] as const),
      { atomic: false },
    );
    const page = replies.flat().map(String);
    if (page.length > 0) yield page;
  }
}
