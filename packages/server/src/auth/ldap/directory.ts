import type { Socket } from 'node:net';
import type { Jid } from '@parley/xmpp/jid';
import type { Change, Control, Filter } from 'ldapts';
import type { Entry } from './entry.ts';
import type { BindOutcome } from './passwords/bind-outcome.ts';
import type { NoPerson, Person } from './person.ts';
import type { DirectorySettings } from './settings.ts';

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
  /**
   * The one entry that is this account; undefined where there is none, or where there are several. It has `attributes`,
   * too, beside what makes a Person of it.
   */
  findPerson(account: Jid, deadline?: Deadline, attributes?: readonly string[]): Promise<Person | undefined>;
  /** Tries a password, on a connection that nothing else is asked on. An empty one is refused before anybody is asked. */
  bindAs(dn: string, password: string, deadline?: Deadline): Promise<BindOutcome>;
  /** Changes an entry as the account that Parley has. */
  modify(dn: string, changes: readonly Change[]): Promise<void>;
  /** Sets a password: as the person where the old one is given, else as the account that Parley has. */
  changePassword(dn: string, passwords: { old?: string; new: string }): Promise<void>;
  rootDse(): Promise<Entry>;
  /**
   * A connection of one's own to a server that works, encrypted, on which nothing was said yet; whoever asks for it closes
   * it. For what this interface has no word for, such as SASL in several steps.
   */
  socket(deadline?: Deadline): Promise<Socket>;
  /** Ends all its connections. */
  close(): Promise<void>;
}
