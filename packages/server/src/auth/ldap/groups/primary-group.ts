import type { Entry } from '../entry.ts';

/**
 * Active Directory: everybody has one group that does not name them (nor does memberOf). They hold the last number of its
 * SID; the rest is as in their own.
 */
export interface PrimaryGroupAttributes {
  /** Of people and of groups. */
  readonly sid: string;
  /** Of people. */
  readonly number: string;
}

export const ACTIVE_DIRECTORY: PrimaryGroupAttributes = { sid: 'objectSid', number: 'primaryGroupID' };

/** MS-DTYP §2.4.2.2: eight bytes, and up to fifteen numbers of four. */
const SHORTEST_SID = 12;
const LONGEST_SID = 68;

/** The SID of an entry as hexadecimal digits; undefined where it has none. */
export function sidOf(entry: Entry, { sid }: PrimaryGroupAttributes): string | undefined {
  const bytes = entry.attributes.get(sid.toLowerCase())?.[0];
  if (bytes === undefined || bytes.length < SHORTEST_SID || bytes.length > LONGEST_SID) return undefined;
  return bytes.toString('hex');
}

/** The SID of somebody's primary group; undefined where they have none. */
export function primaryGroupOf(entry: Entry, attributes: PrimaryGroupAttributes): string | undefined {
  const own = sidOf(entry, attributes);
  const text = entry.text(attributes.number) ?? '';
  if (own === undefined || !/^\d{1,10}$/.test(text) || Number(text) > 0xffff_ffff) return undefined;
  const number = Buffer.alloc(4);
  number.writeUInt32LE(Number(text));
  return own.slice(0, -8) + number.toString('hex');
}

/** S-1-5-32-…: the groups that every Windows has, such as Users, in which Domain Users is. */
const BUILT_IN = '010200000000000520000000';
/** Domain Users, Domain Guests, Domain Computers: everybody is in one of them from the beginning. */
const OF_EVERYBODY = new Set([513, 514, 515]);

/** Whether somebody is in it who was never put there: it says nothing about who belongs together. */
export function isOfEverybody(sid: string | undefined): boolean {
  if (sid === undefined) return false;
  return sid.startsWith(BUILT_IN) || OF_EVERYBODY.has(Buffer.from(sid.slice(-8), 'hex').readUInt32LE());
}
