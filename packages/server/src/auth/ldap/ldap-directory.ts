import type { Jid } from '@parley/xmpp/jid';
import {
  AndFilter,
  Attribute,
  Change,
  type Client,
  type Change as DirectoryChange,
  EqualityFilter,
  type Filter,
  PasswordPolicyControl,
  PresenceFilter,
  ResultCodeError,
} from 'ldapts';
import type { Log } from '../../log.ts';
import { trustIn } from '../../net/dial.ts';
import type { BindOutcome } from './bind-outcome.ts';
import type { LdapConnection } from './connection.ts';
import {
  type Deadline,
  type Directory,
  DirectoryAway,
  type Entry,
  type PagesOptions,
  type Person,
  type SearchOptions,
} from './directory.ts';
import { asBytes, foundEntry } from './entry.ts';
import { addressOf, guidBytes, NoPerson, personOf } from './person.ts';
import { away, diagnostic, LdapServer, refusal } from './server.ts';
import type { DirectorySettings } from './settings.ts';

/** A directory that is asked by ldapts. */
export class LdapDirectory implements Directory {
  readonly settings: DirectorySettings;
  readonly #servers: readonly LdapServer[];
  readonly #log: Log;

  constructor(settings: DirectorySettings, log: Log) {
    this.settings = settings;
    this.#log = log.with({ directory: settings.name });
    const trust = trustIn(settings.authorityCertificates);
    this.#servers = settings.servers.map((url) => new LdapServer(url, settings, trust));
  }

  get name(): string {
    return this.settings.name;
  }

  deadline(): Deadline {
    return performance.now() + this.settings.answerSeconds * 1000;
  }

  async search(base: string, options: SearchOptions): Promise<Entry[]> {
    const { deadline = this.deadline() } = options;
    return this.#asService(deadline, (client) => found(client, base, options));
  }

  async *searchPages(base: string, options: PagesOptions): AsyncIterable<Entry[]> {
    yield await this.search(base, options);
  }

  findPerson(account: Jid, deadline?: Deadline): Promise<Person | undefined> {
    const address = addressOf(account, this.settings);
    if (address === undefined) return Promise.resolve(undefined);
    const filter = new EqualityFilter({ attribute: this.settings.people.address, value: address });
    return this.#findOne(filter, (person) => person.account.bareText === account.bareText, account.bareText, deadline);
  }

  findPersonById(id: string, deadline?: Deadline): Promise<Person | undefined> {
    const { people, preset } = this.settings;
    const value = preset.idForm === 'guid' ? guidBytes(id) : id;
    return this.#findOne(new EqualityFilter({ attribute: people.id, value }), () => true, id, deadline);
  }

  async bindAs(dn: string, password: string, deadline = this.deadline()): Promise<BindOutcome> {
    // An empty password would be no password (RFC 4513 §5.1.2): the bind succeeds on many servers.
    if (password === '') return { kind: 'wrong', code: 49, diagnostic: 'The password is empty.' };
    const policy = new PasswordPolicyControl();
    return this.#somewhere(deadline, async (server, signal) => {
      const connection = await server.connect(signal);
      try {
        await connection.run(signal, (client) => client.bind(dn, password, policy));
        return { kind: 'accepted', code: 0, diagnostic: '' };
      } catch (error) {
        if (!(error instanceof ResultCodeError)) throw error;
        return { kind: 'wrong', code: error.code, diagnostic: diagnostic(error) };
      } finally {
        connection.close();
      }
    });
  }

  modify(dn: string, changes: readonly DirectoryChange[]): Promise<void> {
    return this.#asService(this.deadline(), (client) => client.modify(dn, [...changes]));
  }

  changePassword(dn: string, passwords: { old?: string; new: string }): Promise<void> {
    const modification = new Attribute({ type: 'userPassword', values: [passwords.new] });
    return this.modify(dn, [new Change({ operation: 'replace', modification })]);
  }

  async rootDse(): Promise<Entry> {
    const filter = new PresenceFilter({ attribute: 'objectClass' });
    const [entry] = await this.search('', { scope: 'base', filter, attributes: ['*', '+'] });
    if (entry === undefined) throw new DirectoryAway('The server tells nothing of itself.');
    return entry;
  }

  async close(): Promise<void> {}

  async #findOne(
    filter: Filter,
    is: (person: Person) => boolean,
    what: string,
    deadline = this.deadline(),
  ): Promise<Person | undefined> {
    const { base, scope, filter: people, attributes } = this.settings.people;
    const both = new AndFilter({ filters: [people, filter] });
    const entries = await this.search(base, { scope, filter: both, attributes, sizeLimit: 2, deadline });
    if (entries.length > 1) {
      this.#log.warn('directory.ambiguous', { account: what, entries: entries.map(({ dn }) => dn) });
      return undefined;
    }
    const [entry] = entries;
    if (entry === undefined) return undefined;
    const person = personOf(entry, this.settings);
    return person instanceof NoPerson || !is(person) ? undefined : person;
  }

  #asService<T>(deadline: Deadline, act: (client: Client) => Promise<T>): Promise<T> {
    return this.#somewhere(deadline, async (server, signal) => {
      const connection: LdapConnection = await server.service(signal);
      try {
        return await connection.run(signal, act);
      } finally {
        connection.close();
      }
    });
  }

  async #somewhere<T>(deadline: Deadline, act: (server: LdapServer, signal: AbortSignal) => Promise<T>): Promise<T> {
    let last: unknown;
    for (const server of this.#servers) {
      const left = Math.min(deadline - performance.now(), this.settings.timeoutSeconds * 1000);
      if (left <= 0) break;
      try {
        return await act(server, AbortSignal.timeout(left));
      } catch (error) {
        const failure = away(error);
        if (!(failure instanceof DirectoryAway)) throw refusal(failure);
        last = failure;
      }
    }
    throw last ?? new DirectoryAway('The time was over.');
  }
}

async function found(client: Client, base: string, options: SearchOptions): Promise<Entry[]> {
  const { scope = 'sub', filter, attributes, sizeLimit = 0, controls = [] } = options;
  const { searchEntries } = await client.search(
    base,
    { scope, filter, attributes: [...attributes], sizeLimit, explicitBufferAttributes: asBytes },
    [...controls],
  );
  return searchEntries.map(foundEntry);
}
