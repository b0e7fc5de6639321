import type { Jid } from '@parley/xmpp/jid';
import type { Awaitable } from '../pipeline.ts';
import type { Picture } from './picture.ts';
import type { ProfileField, ProfileValues } from './profile-fields.ts';

/** What is known elsewhere of somebody who has an account here. */
export interface Profile {
  readonly values: ProfileValues;
  readonly photo: Picture | undefined;
  /** What comes from there and from nowhere else, whether it says anything or not. */
  readonly fields: ReadonlySet<ProfileField | 'photo'>;
  /** Of these, what the account itself may change. */
  readonly writable: ReadonlySet<ProfileField | 'photo'>;
  /** It is for accounts of this server, and for whoever may see the presence of its owner. */
  readonly isInternal?: boolean;
}

/** What somebody has changed of their profile; an empty list takes a field away, `null` the photo. */
export interface ProfileChange {
  readonly values: ProfileValues;
  readonly photo?: Buffer | null;
}

/** What people are looked for by (XEP-0055). */
export const SEARCH_FIELDS = ['first', 'last', 'nick', 'email', 'name', 'unit'] as const;
export type SearchField = (typeof SEARCH_FIELDS)[number];

/** How the values of these fields begin; all of them have to. */
export type SearchTerms = ReadonlyMap<SearchField, string>;

export interface FoundPerson {
  readonly account: Jid;
  readonly values: ReadonlyMap<SearchField, string>;
}

export interface Found {
  readonly people: readonly FoundPerson[];
  /** There are more than those. */
  readonly more: boolean;
}

/** Where more is known of accounts than the server keeps itself. Throws a StanzaError where it cannot be asked. */
export interface ProfileSource {
  readonly name: string;
  /** Whose accounts it may know. */
  readonly domains: ReadonlySet<string>;
  /** What it knows of an account; undefined where the account is none of its own. */
  profile(account: Jid): Promise<Profile | undefined>;
  /** What is at hand, without asking. */
  cached(account: Jid): Profile | undefined;
  /** Throws a StanzaError with its words where it refuses. */
  change(account: Jid, change: ProfileChange): Promise<void>;
  /** Somebody who was changed there is asked about anew. */
  forget(account: Jid): void;
  /** False where nobody may look for people in it. */
  readonly searchable: boolean;
  /** Whether this account may look for people in it. */
  maySearch(account: Jid): Awaitable<boolean>;
  search(terms: SearchTerms): Promise<Found>;
}

/** A profile, and where it comes from. */
export interface SourcedProfile {
  readonly profile: Profile;
  readonly source: ProfileSource;
}

/** All that is known elsewhere of the accounts of this server. */
export class Profiles {
  readonly #sources: readonly ProfileSource[];
  readonly #listeners: ((account: Jid) => void)[] = [];

  constructor(sources: readonly ProfileSource[] = []) {
    this.#sources = sources;
  }

  /** Of the accounts of a domain. */
  sources(domain: string): readonly ProfileSource[] {
    return this.#sources.filter(({ domains }) => domains.has(domain));
  }

  async of(account: Jid): Promise<SourcedProfile | undefined> {
    for (const source of this.sources(account.domain)) {
      const profile = await source.profile(account);
      if (profile !== undefined) return { profile, source };
    }
    return undefined;
  }

  /** What is at hand, without asking. */
  cached(account: Jid): Profile | undefined {
    for (const source of this.sources(account.domain)) {
      const profile = source.cached(account);
      if (profile !== undefined) return profile;
    }
    return undefined;
  }

  forget(account: Jid): void {
    for (const source of this.#sources) source.forget(account);
  }

  /** Called on every node with those of whom something has changed where they come from. */
  onChange(listener: (account: Jid) => void): void {
    this.#listeners.push(listener);
  }

  tell(account: Jid): void {
    for (const listener of this.#listeners) listener(account);
  }
}
