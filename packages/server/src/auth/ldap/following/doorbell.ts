import { setTimeout as pause } from 'node:timers/promises';
import { type BerWriter, Control, PresenceFilter, SearchRequest } from 'ldapts';
import { BER, berEncode, berEncodeBoolean, berEncodeInteger } from '../connection/ber.ts';
import { keepAlive, ping } from '../connection/keep-alive.ts';
import { type LdapMessage, RESPONSE, readEntry, readResult } from '../connection/message.ts';
import type { LdapSearch } from '../connection/raw-connection.ts';
import { DirectoryRefused } from '../directory-error.ts';
import { entryOf } from '../entry.ts';
import { Bell } from './bell.ts';
import type { Follow } from './follow.ts';
import { Poll } from './poll.ts';

/** How long changes are gathered, so that many at once are one question. */
const GATHER_MS = 50;

export const PERSISTENT_SEARCH = '2.16.840.1.113730.3.4.3';
export const NOTIFICATION = '1.2.840.113556.1.4.528';
const SHOW_DELETED = '1.2.840.113556.1.4.417';

/** draft-ietf-ldapext-psearch §3: every kind of change, without what is there already, without a control at entries. */
class PersistentSearch extends Control {
  constructor() {
    super(PERSISTENT_SEARCH, { critical: true });
  }

  override writeControl(writer: BerWriter): void {
    const value = berEncode(BER.sequence, berEncodeInteger(15), berEncodeBoolean(true), berEncodeBoolean(false));
    writer.writeBuffer(value, BER.octetString);
  }
}

/**
 * Follows a directory that tells which entries have changed, but not whether they are still of those followed: each is
 * looked at. Ends with an error.
 */
export async function doorbell(follow: Follow, control: 'persistentSearch' | 'notification'): Promise<never> {
  const { settings } = follow.directory;
  const connection = await follow.connect();
  const bell = new Bell();
  const search = connection.search(await request(follow, control));
  const timeoutMs = settings.timeoutSeconds * 1000;
  using _ = keepAlive(connection, settings.synchronisation.keepAliveSeconds * 1000, timeoutMs);
  await ping(connection); // it has heard what is wanted before everything is looked at
  const end = new AbortController();
  const answering = answer({ ...follow, signal: AbortSignal.any([follow.signal, end.signal]) }, bell);
  const listening = listen(follow, search, bell);
  listening.catch(() => {}); // it is waited for below
  try {
    return await Promise.race([listening, answering]);
  } finally {
    end.abort();
    await answering.catch(() => {}); // what it has begun is not to go on beside whatever comes next
  }
}

async function request(follow: Follow, control: 'persistentSearch' | 'notification'): Promise<SearchRequest> {
  const { followed } = follow;
  const notified = control === 'notification';
  return new SearchRequest({
    messageId: 0,
    // what is moved away or deleted is told of where it is then
    baseDN: notified ? await namingContext(follow) : followed.base,
    scope: notified ? 'sub' : followed.scope,
    filter: new PresenceFilter({ attribute: 'objectClass' }),
    attributes: [followed.id.attribute],
    timeLimit: 0,
    controls: notified
      ? [new Control(NOTIFICATION, { critical: true }), new Control(SHOW_DELETED)]
      : [new PersistentSearch()],
  });
}

/** The root of the tree that the base is in. */
async function namingContext({ directory, followed }: Follow): Promise<string> {
  const root = await directory.rootDse();
  const base = followed.base.toLowerCase();
  const [longest] = root
    .texts('namingContexts')
    .filter((each) => base === each.toLowerCase() || base.endsWith(`,${each.toLowerCase()}`))
    .sort((a, b) => b.length - a.length);
  return longest ?? root.text('defaultNamingContext') ?? followed.base;
}

async function listen(follow: Follow, search: LdapSearch, bell: Bell): Promise<never> {
  for (;;) for (const message of await search.next()) take(follow, message, bell);
}

function take({ copy }: Follow, message: LdapMessage, bell: Bell): void {
  if (message.operation === RESPONSE.entry) {
    const { dn, attributes } = readEntry(message);
    const id = copy.idOf(entryOf(dn, attributes));
    if (id !== undefined) bell.ring(id);
  } else if (message.operation === RESPONSE.searchDone) {
    const { code, diagnostic } = readResult(message).result;
    throw new DirectoryRefused(code, diagnostic || `The directory ends the search (${code}).`);
  }
}

async function answer(follow: Follow, bell: Bell): Promise<never> {
  const { pollSeconds, compareSeconds } = follow.directory.settings.synchronisation;
  const poll = new Poll(follow);
  for (let believed = await poll.compare(); ; ) {
    const everyMs = (believed ? compareSeconds : pollSeconds) * 1000;
    await bell.wait(poll.dueIn(everyMs), follow.signal);
    await pause(GATHER_MS, undefined, { signal: follow.signal, ref: false });
    const ids = bell.take();
    if (ids.length > 0) await follow.rechecks.check(ids);
    if (poll.dueIn(everyMs) === 0) believed = await poll.compare();
  }
}
