import { PresenceFilter } from 'ldapts';
import type { Directory } from '../directory.ts';
import type { Entry } from '../entry.ts';
import { comparableDn } from './dn.ts';
import type { GroupSettings } from './group-settings.ts';
import { sidOf } from './primary-group.ts';

/** A group as its entry has it: who is in it is only named. */
export interface GroupEntry {
  readonly id: string;
  /** In the form for comparing. */
  readonly dn: string;
  readonly name: string;
  readonly label: string;
  /** The entries of the members, people or groups, in the form for comparing. */
  readonly members: ReadonlySet<string>;
  /** Login names of members, in small letters. */
  readonly logins: ReadonlySet<string>;
  /** Where people name it, as their primary group, by that. */
  readonly sid?: string;
}

/** As long as names in rosters may be. */
const LONGEST_NAME = 1023;
/** A group is not read on for ever. */
const MOST_RANGES = 10_000;

/** Undefined where the entry has no name. */
export async function readGroupEntry(
  id: string,
  entry: Entry,
  settings: GroupSettings,
  directory: Pick<Directory, 'search'>,
): Promise<GroupEntry | undefined> {
  const name = entry.text(settings.name)?.trim();
  if (name === undefined || name === '' || Buffer.byteLength(name) > LONGEST_NAME) return undefined;
  const label = settings.label === undefined ? undefined : entry.text(settings.label)?.trim();
  const members = new Set<string>();
  for (const attribute of settings.members) {
    for (const value of await valuesOf(entry, attribute, directory)) members.add(memberOf(value));
  }
  const logins = new Set<string>();
  for (const attribute of settings.logins) {
    for (const value of await valuesOf(entry, attribute, directory)) logins.add(value.toLowerCase());
  }
  const usable = label !== undefined && label !== '' && Buffer.byteLength(label) <= LONGEST_NAME;
  const sid = settings.primary && sidOf(entry, settings.primary);
  const own = { id, dn: comparableDn(entry.dn), name, label: usable ? label : name };
  return { ...own, members, logins, ...(sid !== undefined && { sid }) };
}

/** uniqueMember may have a number behind the name (RFC 4517 §3.3.21). */
const memberOf = (value: string): string => comparableDn(value.replace(/#'[01]*'B$/, ''));

/** Active Directory gives no more than 1,500 values at once, and says which: `member;range=0-1499`. */
async function valuesOf(entry: Entry, attribute: string, directory: Pick<Directory, 'search'>): Promise<string[]> {
  const values = entry.texts(attribute);
  let part: Entry | undefined = entry;
  for (let count = 0; part !== undefined && count < MOST_RANGES; count++) {
    const range = rangeOf(part, attribute);
    if (range === undefined) break;
    values.push(...part.texts(range.name));
    if (range.end === '*') break;
    const rest = `${attribute};range=${Number(range.end) + 1}-*`;
    const filter = new PresenceFilter({ attribute: 'objectClass' });
    [part] = await directory.search(entry.dn, { scope: 'base', filter, attributes: [rest] });
  }
  return values;
}

function rangeOf(entry: Entry, attribute: string): { name: string; end: string } | undefined {
  const head = `${attribute.toLowerCase()};range=`;
  for (const name of entry.attributes.keys()) {
    const end = name.startsWith(head) ? /^\d+-(\d+|\*)$/.exec(name.slice(head.length))?.[1] : undefined;
    if (end !== undefined) return { name, end };
  }
  return undefined;
}
