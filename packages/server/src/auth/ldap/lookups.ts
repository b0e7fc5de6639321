import type { Jid } from '@parley/xmpp/jid';
import { PresenceFilter } from 'ldapts';
import type { Log } from '../../log.ts';
import type { Awaitable } from '../../pipeline.ts';
import { AccountsAway, AccountsBusy } from '../authenticator.ts';
import type { Deadline, Directory } from './directory.ts';
import { DirectoryAway, DirectoryRefused } from './directory-error.ts';
import { NoPerson, type Person } from './person.ts';
import type { PersonState } from './person-state.ts';

/** Who is known without asking the directory (KnownPeople). */
export interface People {
  get(account: Jid): Awaitable<{ readonly state: PersonState } | undefined>;
  /** Whether everybody in the directory is known. */
  complete(): Promise<boolean>;
}

/** What a look at the directory has told counts for so long, unless it is heard that something has changed. */
const FRESH_MS = 60_000;
/** That there is nobody counts for so long: somebody may be added at any time. */
const ABSENT_MS = 5000;
const MOST_ENTRIES = 10_000;
/** Whoever sends to addresses that nobody has must not keep others from logging in: so many are looked for at a time. */
const MOST_LOOKS = 16;

interface Found {
  /** Undefined where there is nobody. */
  readonly person: Person | undefined;
  readonly until: number;
  /** The directory has let this person in a moment ago. */
  letIn: boolean;
}

export interface LookupsOptions {
  readonly directory: Directory;
  readonly people: People;
  readonly log: Log;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** Who somebody is: from what is known, or else from the directory, which is not asked again at once. */
export class Lookups {
  readonly #options: LookupsOptions;
  readonly #found = new Map<string, Found>();
  /** Of whom the directory is being asked: false where that has changed meanwhile. */
  readonly #looking = new Map<string, Set<{ isNewest: boolean }>>();
  readonly #now: () => number;
  #asking = 0;
  #looks = 0;

  constructor(options: LookupsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * Asks the directory, as for a login. Rejects with AccountsAway where it does not answer, and with AccountsBusy where
   * too many ask.
   */
  find(account: Jid, deadline?: Deadline): Promise<Person | undefined> {
    const key = account.bareText;
    return this.ask(async (directory) => {
      const look = { isNewest: true };
      const looking = this.#looking.get(key) ?? new Set();
      this.#looking.set(key, looking.add(look));
      try {
        const person = await directory.findPerson(account, deadline);
        // a server that lags behind must not let somebody in who was heard to be disabled meanwhile
        if (look.isNewest) this.#keep(key, person);
        return person;
      } finally {
        looking.delete(look);
        if (looking.size === 0) this.#looking.delete(key);
      }
    });
  }

  /** Whether the entry with this name is this person, however names are written. */
  async isPerson(dn: string, { id }: Person, deadline: Deadline): Promise<boolean> {
    const filter = new PresenceFilter({ attribute: 'objectClass' });
    const person = await this.ask(async (directory) => {
      const { attributes } = directory.settings.people;
      const [entry] = await directory.search(dn, { scope: 'base', filter, attributes, deadline });
      return entry && directory.person(entry);
    });
    return person !== undefined && !(person instanceof NoPerson) && person.id === id;
  }

  /** Asks the directory something else, under the same conditions. */
  async ask<T>(question: (directory: Directory) => Promise<T>): Promise<T> {
    const { directory, log } = this.#options;
    if (this.#asking >= directory.settings.passwords.mostWaiting) throw new AccountsBusy();
    this.#asking++;
    try {
      return await question(directory);
    } catch (error) {
      if (!(error instanceof DirectoryAway || error instanceof DirectoryRefused)) throw error;
      log.flood('directory.failed', { directory: directory.name, message: error.message });
      throw new AccountsAway({ cause: error });
    } finally {
      this.#asking--;
    }
  }

  #keep(key: string, person: Person | undefined): void {
    this.#found.delete(key);
    for (const oldest of this.#found.keys()) {
      if (this.#found.size < MOST_ENTRIES) break;
      this.#found.delete(oldest);
    }
    const until = this.#now() + (person === undefined ? ABSENT_MS : FRESH_MS);
    this.#found.set(key, { person, until, letIn: false });
  }

  #recent(account: Jid): Found | undefined {
    const found = this.#found.get(account.bareText);
    return found === undefined || found.until <= this.#now() ? undefined : found;
  }

  /** The directory has taken the password of this person, whatever the entry says of its age. */
  letIn(account: Jid): void {
    const found = this.#recent(account);
    if (found !== undefined) found.letIn = true;
  }

  /** Something of this account has changed. */
  forget(account: Jid): void {
    this.#found.delete(account.bareText);
    for (const look of this.#looking.get(account.bareText) ?? []) look.isNewest = false;
  }

  /** The state of somebody; undefined where there is nobody. */
  state(account: Jid): Awaitable<PersonState | undefined> {
    const recent = this.#recent(account);
    if (recent !== undefined) return stateOf(recent);
    const known = this.#options.people.get(account);
    if (!(known instanceof Promise)) return known?.state ?? this.#look(account);
    return known.then((person) => person?.state ?? this.#look(account));
  }

  /** Somebody who is not known yet may be in the directory all the same. */
  async #look(account: Jid): Promise<PersonState | undefined> {
    if (this.#looks >= MOST_LOOKS && (await this.#options.people.complete())) return undefined;
    this.#looks++;
    try {
      return (await this.find(account))?.state;
    } catch (error) {
      const answered = error instanceof AccountsAway || error instanceof AccountsBusy;
      if (answered && (await this.#options.people.complete())) return undefined;
      if (error instanceof AccountsBusy) throw new AccountsAway({ cause: error });
      throw error;
    } finally {
      this.#looks--;
    }
  }
}

function stateOf({ person, letIn }: Found): PersonState | undefined {
  // the directory has more to say about that than the entry: it lets people in who should have changed their password
  return letIn && person?.state.kind === 'expired' ? { kind: 'active' } : person?.state;
}
