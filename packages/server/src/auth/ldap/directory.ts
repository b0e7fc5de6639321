import type { Jid } from '@parley/xmpp/jid';
import type { Change, Control, Filter } from 'ldapts';
import type { BindOutcome } from './bind-outcome.ts';
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
  /** Throws DirectoryRefused where the server does not want to. Referrals are not followed. */
  search(base: string, options: SearchOptions): Promise<Entry[]>;
  searchPages(base: string, options: PagesOptions): AsyncIterable<Entry[]>;
  /** The one entry that is this account; undefined where there is none, or where there are several. */
  findPerson(account: Jid, deadline?: Deadline): Promise<Person | undefined>;
  findPersonById(id: string, deadline?: Deadline): Promise<Person | undefined>;
  /** Tries a password, on a connection of its own. An empty one is refused before anybody is asked. */
  bindAs(dn: string, password: string, deadline?: Deadline): Promise<BindOutcome>;
  /** Changes an entry as the account that Parley has. */
  modify(dn: string, changes: readonly Change[]): Promise<void>;
  /** Sets a password: as the person where the old one is given, else as the account that Parley has. */
  changePassword(dn: string, passwords: { old?: string; new: string }): Promise<void>;
  rootDse(): Promise<Entry>;
  /** Ends all its connections. */
  close(): Promise<void>;
}

/** No server of the directory answers in time: come again later. */
export class DirectoryAway extends Error {
  override name = 'DirectoryAway';
}

/** The directory has answered, but does not want to. */
export class DirectoryRefused extends Error {
  override name = 'DirectoryRefused';
  /** RFC 4511 §4.1.9. */
  readonly code: number;

  /** `message`: in the directory's own words. */
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
