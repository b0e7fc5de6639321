/** A directory in memory, for tests: it tells what it was asked. */
import type { Jid } from '@parley/xmpp/jid';
import { vi } from 'vitest';
import { configurationSchema } from '../../config/schema.ts';
import type { Directory, SearchOptions } from './directory.ts';
import { DirectoryAway } from './directory-error.ts';
import { directorySettings } from './directory-settings.ts';
import { type Entry, entryOf } from './entry.ts';
import type { KnownPeople, PersonChange } from './following/known-people.ts';
import { type BindOutcome, bindOutcome } from './passwords/bind-outcome.ts';
import type { Person } from './person.ts';
import type { PersonState } from './person-state.ts';

interface Somebody {
  readonly person: Person;
  readonly password: string;
  /** What a bind comes to, whatever the password. */
  readonly outcome: BindOutcome | undefined;
}

export const SUCCESS = bindOutcome(0, '');
export const WRONG = bindOutcome(49, 'Invalid credentials');
export const LOCKED = bindOutcome(49, '', { error: 1 } as never);

export class FakeDirectory implements Partial<Directory> {
  readonly name = 'corp';
  readonly settings: Directory['settings'];
  /** Whose passwords were tried. */
  readonly names: string[] = [];
  /** The names of the questions, in their order. */
  readonly asked: string[] = [];
  away = false;
  readonly #people = new Map<string, Somebody>();
  readonly changePassword = vi.fn<Directory['changePassword']>(async () => {});

  constructor(passwords: object = {}) {
    const config = configurationSchema().parse({
      domains: ['localhost'],
      authentication: { accounts: ['corp'] },
      directories: [
        {
          name: 'corp',
          servers: ['ldaps://localhost'],
          bind: { dn: 'cn=parley,dc=example', password: 'secret' },
          people: { base: 'ou=people,dc=example' },
          passwords,
        },
      ],
    });
    this.settings = directorySettings(config)[0] as Directory['settings'];
  }

  get directory(): Directory {
    return this as unknown as Directory;
  }

  /** Puts somebody into it, whose password is `pw-` and the name. */
  add(
    account: Jid,
    more: { state?: PersonState; outcome?: BindOutcome; attributes?: Record<string, string>; password?: string } = {},
  ): Person {
    const { state = { kind: 'active' }, outcome, attributes = {}, password = `pw-${account.local}` } = more;
    const dn = `uid=${account.local},ou=people,dc=example`;
    const values = Object.entries(attributes).map(([name, value]) => [name, [Buffer.from(value)]] as const);
    const person = { id: `id-of-${account.local}`, dn, account, state, entry: entryOf(dn, values) };
    this.#people.set(account.bareText, { person, password, outcome });
    return person;
  }

  #ask(question: string): void {
    this.asked.push(question);
    if (this.away) throw new DirectoryAway('It is away.');
  }

  deadline = () => performance.now() + 4000;

  async findPerson(account: Jid): Promise<Person | undefined> {
    this.#ask('findPerson');
    return this.#people.get(account.bareText)?.person;
  }

  async bindAs(dn: string, password: string): Promise<BindOutcome> {
    this.#ask('bindAs');
    this.names.push(dn);
    const found = [...this.#people.values()].find(({ person }) => person.dn === dn);
    if (found?.outcome !== undefined) return found.outcome;
    return found?.password === password ? SUCCESS : WRONG;
  }

  async search(base: string, _options: SearchOptions): Promise<Entry[]> {
    this.#ask('search');
    const found = [...this.#people.values()].find(({ person }) => person.dn === base);
    return [found?.person.entry ?? entryOf(base, [])];
  }

  async person(entry: Entry): Promise<Person> {
    return [...this.#people.values()].find(({ person }) => person.dn === entry.dn)?.person as Person;
  }

  async *searchPages(): AsyncGenerator<Entry[]> {
    yield [...this.#people.values()].map(({ person }) => person.entry);
  }
}

/** What is known of people without asking. */
export class FakePeople implements Pick<KnownPeople, 'get' | 'complete' | 'learn' | 'onChange'> {
  readonly known = new Map<string, { id: string; dn: string; state: PersonState }>();
  all = false;
  tell: (change: PersonChange) => unknown = () => undefined;

  get = (account: Jid) => this.known.get(account.bareText);
  complete = async () => this.all;
  learn = vi.fn(async ({ account, id, dn, state }: Person) => void this.known.set(account.bareText, { id, dn, state }));
  onChange(listener: (change: PersonChange) => unknown): void {
    this.tell = listener;
  }
}
