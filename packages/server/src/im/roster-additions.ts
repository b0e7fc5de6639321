import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Jid } from '@parley/xmpp/jid';
import type { PartHost } from '../account-part.ts';
import { HEAD } from './operations/change-roster.ts';
import { putContacts } from './operations/put-contacts.ts';
import { decodeItem, encodeItem, type RosterItem } from './roster-item.ts';
import { mergedItem } from './roster-moves.ts';
import { rosterKeys } from './roster-store.ts';

export type Contact = Omit<RosterItem, 'version'>;

/** How often it is begun anew since somebody else has changed the roster meanwhile. */
const ATTEMPTS = 20;

/** Contacts that one operation adds: nobody waits long for it. */
const PAGE = 500;

/**
 * Adds contacts to a roster: of those that are in it the name and the groups stay, and no subscription is lost. Resolves with
 * how many had no room.
 */
export async function addContacts(account: Jid, contacts: readonly Contact[], host: PartHost): Promise<number> {
  let left = 0;
  for (let first = 0; first < contacts.length; first += PAGE) {
    left += await addPage(account, contacts.slice(first, first + PAGE), host);
  }
  return left;
}

async function addPage(account: Jid, contacts: readonly Contact[], { keyspace, config }: PartHost): Promise<number> {
  const key = rosterKeys.key(account.bareText);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const kept = await keyspace.hgetall(key);
    const head = kept.get(HEAD);
    kept.delete(HEAD);
    const room = config.roster.maxItems - kept.size;
    const added = new Map<string, string>();
    const changed = new Map<string, string>();
    for (const contact of contacts) {
      const there = kept.get(contact.jid.bareText);
      if (there === undefined) added.set(contact.jid.bareText, encodeItem(contact));
      else {
        const item = decodeItem(contact.jid.bareText, there);
        const merged = encodeItem(mergedItem({ ...contact, version: 0 }, item));
        if (merged !== encodeItem(item)) changed.set(contact.jid.bareText, merged);
      }
    }
    const fitting = [...added].slice(0, Math.max(0, room));
    const left = added.size - fitting.length;
    const put = [...changed, ...fitting];
    if (put.length === 0) return left;
    if (await keyspace.call(putContacts, [key], [String(head ?? ''), ...put.flat()])) return left;
  }
  throw new KeyspaceError('slow', 'A roster changes too often elsewhere to be changed here.');
}
