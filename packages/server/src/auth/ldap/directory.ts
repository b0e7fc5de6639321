import type { Socket } from 'node:net';
import type { Jid } from '@parley/xmpp/jid';
import type { Change, Control, Filter } from 'ldapts';
import type { BindOutcome } from './bind-outcome.ts';
import type { LdapConnection } from './connection.ts';
import type { NoPerson } from './person.ts';
import type { PersonState } from './person-state.ts';
import type { DirectorySettings } from './settings.ts';

/** An entry as a search gives it. */
export interface Entry {
  readonly dn: string;
  /** By name in lower case. */
  readonly attributes: ReadonlyMap<string, readonly Buffer[]>;
  /** The first value of an attribute, whatever the case of its name. */
  text(name: string): string | undefined;
  texts(name: string): string[];
}

/** An entry that is an account. */
export interface Person {
  /** What tells it apart for ever: its entryUUID, nsUniqueId, objectGUID or ipaUniqueID, in lower case. */
  readonly id: string;
  readonly dn: string;
  readonly account: Jid;
  readonly state: PersonState;
  readonly entry: Entry;
}

export interface SearchOptions {
  /** `sub` where nothing is said. */
  readonly scope?: 'base' | 'one' | 'sub';
  /** An object: nobody puts filters together out of text. */
  readonly filter: Filter;
  /** Operational attributes only come where they are named. */
  readonly attributes: readonly string[];
  readonly sizeLimit?: number;
  readonly controls?: readonly Control[];
  readonly deadline?: Deadline;
}

/** Each page has the time that one answer has, and nothing has to come before a moment. */
export interface PagesOptions extends Omit<SearchOptions, 'sizeLimit' | 'deadline'> {
  readonly pageSize?: number;
}

/** The moment, by `performance.now()`, at which whoever asked has no use for the answer any more. */
export type Deadline = number;

/** One configured directory, as everything else that asks it sees it. Everything may throw DirectoryAway. */
export interface Directory {
  readonly name: string;
  /** The configuration, with what its type fills in. */
  readonly settings: DirectorySettings;
  /** Until when all that belongs to one login has to be answered. */
  deadline(): Deadline;
  /** At most 10 000 entries. Throws DirectoryRefused where the server does not want to. Referrals are not followed. */
  search(base: string, options: SearchOptions): Promise<Entry[]>;
  /** Any number of entries. Where the server goes away between two pages, all has to begin again. */
  searchPages(base: string, options: PagesOptions): AsyncIterable<Entry[]>;
  /** The person that an entry is, or why it is none. It has what `settings.people.attributes` names. */
  person(entry: Entry): Promise<Person | NoPerson>;
  /** The one entry that is this account; undefined where there is none, or where there are several. */
  findPerson(account: Jid, deadline?: Deadline): Promise<Person | undefined>;
  findPersonById(id: string, deadline?: Deadline): Promise<Person | undefined>;
  /** Tries a password, on a connection that nothing else is asked on. An empty one is refused before anybody is asked. */
  bindAs(dn: string, password: string, deadline?: Deadline): Promise<BindOutcome>;
  /** Changes an entry as the account that Parley has. */
  modify(dn: string, changes: readonly Change[]): Promise<void>;
  /** Sets a password: as the person where the old one is given, else as the account that Parley has. */
  changePassword(dn: string, passwords: { old?: string; new: string }): Promise<void>;
  rootDse(): Promise<Entry>;
  /**
   * A connection of one's own to a server that works, encrypted and bound to nobody; whoever asks for it closes it. For
   * what this interface has no word for, such as SASL in several steps.
   */
  connect(deadline?: Deadline): Promise<LdapConnection>;
  /** The same without anything that reads it; nothing was said on it yet. */
  socket(deadline?: Deadline): Promise<{ readonly socket: Socket; readonly url: string }>;
  /** Ends all its connections. */
  close(): Promise<void>;
}

export interface AwayOptions extends ErrorOptions {
  late?: boolean;
  crowded?: boolean;
  code?: number;
}

/** No server of the directory answers in time: come again later. */
export class DirectoryAway extends Error {
  override name = 'DirectoryAway';
  /** The time was over. */
  readonly late: boolean;
  /** It was over before anything was asked: too much else was on its way. */
  readonly crowded: boolean;
  /** A server has answered, but with this (RFC 4511 §4.1.9). */
  readonly code: number | undefined;

  constructor(message: string, { late = false, crowded = false, code, ...options }: AwayOptions = {}) {
    super(message, options);
    this.late = late;
    this.crowded = crowded;
    this.code = code;
  }
}

/** The directory has answered, but does not want to. */
export class DirectoryRefused extends Error {
  override name = 'DirectoryRefused';
  /** RFC 4511 §4.1.9. */
  readonly code: number;
  /** What the password policy has against a new password (draft-behera-ldap-password-policy §6.2): 5 quality, 6 too short, 7 too young, 8 had before. */
  readonly policyError: number | undefined;

  /** `message`: in the directory's own words. */
  constructor(code: number, message: string, policyError?: number) {
    super(message);
    this.code = code;
    this.policyError = policyError;
  }
}
