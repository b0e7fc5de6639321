import type { Socket } from 'node:net';
import type { Metrics } from '@parley/metrics/registry';
import type { Jid } from '@parley/xmpp/jid';
import {
  AndFilter,
  BindRequest,
  type Change,
  EqualityFilter,
  type Message,
  ModifyRequest,
  OrFilter,
  PagedResultsControl,
  PasswordPolicyControl,
  PresenceFilter,
  SearchRequest,
} from 'ldapts';
import type { Log } from '../../log.ts';
import type { Answer } from './connection/ldap-connection.ts';
import type { LdapServer } from './connection/ldap-server.ts';
import type { Deadline, Directory, PagesOptions, SearchOptions } from './directory.ts';
import { type DirectoryOperation, observeCalls } from './directory-calls.ts';
import { DirectoryAway, DirectoryRefused, NOT_NOW } from './directory-error.ts';
import { DirectoryServers } from './directory-servers.ts';
import type { Entry } from './entry.ts';
import { type BindOutcome, bindOutcome } from './passwords/bind-outcome.ts';
import { passwordChange } from './passwords/password-change.ts';
import { PasswordPolicies } from './passwords/password-policies.ts';
import { addressesOf, NoPerson, type Person, personOf } from './person.ts';
import type { DirectorySettings } from './settings.ts';

const SUCCESS = 0;
const SIZE_LIMIT_EXCEEDED = 4;
const PAGE_SIZE = 500;
/** Entries of a page, from a server that does not know pages and sends all at once. */
const MOST_WITHOUT_PAGES = 1_000_000;

/** A directory that is asked over LDAP. */
export class LdapDirectory implements Directory {
  #settings: DirectorySettings;
  #servers: DirectoryServers;
  readonly #policies: PasswordPolicies;
  readonly #log: Log;
  readonly #observe: ReturnType<typeof observeCalls>;

  constructor(settings: DirectorySettings, log: Log, metrics?: Metrics) {
    this.#settings = settings;
    this.#log = log.with({ directory: settings.name });
    this.#servers = new DirectoryServers(settings, this.#log);
    this.#policies = new PasswordPolicies(this);
    this.#observe = observeCalls(settings.name, () => this.#servers, metrics);
  }

  get settings(): DirectorySettings {
    return this.#settings;
  }

  /** Asks as these say from now on, perhaps other servers; what is asked just now is answered as before. */
  take(settings: DirectorySettings): void {
    const before = this.#servers;
    this.#settings = settings;
    this.#servers = new DirectoryServers(settings, this.#log);
    before.retire();
  }

  get name(): string {
    return this.settings.name;
  }

  deadline(): Deadline {
    return performance.now() + this.settings.answerSeconds * 1000;
  }

  async search(base: string, options: SearchOptions): Promise<Entry[]> {
    const { sizeLimit = 0, deadline = this.deadline() } = options;
    const request = searchRequest(base, options);
    const answer = await this.#asService('search', deadline, request);
    if (answer.code !== SUCCESS && !(answer.code === SIZE_LIMIT_EXCEEDED && sizeLimit > 0)) throw refusal(answer);
    return answer.entries;
  }

  async *searchPages(base: string, { pageSize = PAGE_SIZE, ...options }: PagesOptions): AsyncIterable<Entry[]> {
    const deadline = Number.POSITIVE_INFINITY;
    const lease = await this.#ask('connection', this.deadline(), (server) => server.lease(deadline));
    let whole = false;
    try {
      let cookie: Buffer | undefined;
      do {
        const paged = new PagedResultsControl({ value: { size: pageSize, ...(cookie && { cookie }) } });
        const request = searchRequest(base, { ...options, controls: [...(options.controls ?? []), paged] });
        const answer = await this.#observe('search', () => lease.ask(request, MOST_WITHOUT_PAGES));
        if (answer.code !== SUCCESS) throw refusal(answer);
        // A page may be without entries, and yet not be the last.
        cookie = pageCookie(answer);
        if (answer.entries.length > 0) yield answer.entries;
      } while (cookie !== undefined);
      whole = true;
    } finally {
      lease.release(!whole);
    }
  }

  async person(entry: Entry): Promise<Person | NoPerson> {
    return personOf(entry, this.settings, await this.#policies.of(entry));
  }

  async findPerson(
    account: Jid,
    deadline = this.deadline(),
    more: readonly string[] = [],
  ): Promise<Person | undefined> {
    const { base, scope, filter, attributes, address: attribute } = this.settings.people;
    const addresses = addressesOf(account, this.settings).map((value) => new EqualityFilter({ attribute, value }));
    if (addresses.length === 0) return undefined;
    const entries = await this.search(base, {
      scope,
      filter: new AndFilter({ filters: [filter, new OrFilter({ filters: addresses })] }),
      attributes: [...new Set([...attributes, ...more])],
      sizeLimit: 2,
      deadline,
    });
    const what = account.bareText;
    const [entry] = entries;
    if (entries.length > 1) {
      const message = `Several entries are ${what}, so none of them is: make their addresses differ`;
      this.#log.flood('directory.ambiguous', { account: what, entries: entries.map(({ dn }) => dn), message });
      return undefined;
    }
    if (entry === undefined) return undefined;
    const person = await this.person(entry);
    // Directories compare addresses in their own way: what they take for equal need not be the same account.
    return person instanceof NoPerson || person.account.bareText !== what ? undefined : person;
  }

  async bindAs(dn: string, password: string, deadline = this.deadline()): Promise<BindOutcome> {
    // Without a password, many servers call it a success (RFC 4513 §5.1.2).
    if (password === '' || dn === '') return bindOutcome(49, 'Without a password nobody was asked.');
    const policy = new PasswordPolicyControl();
    const { bound } = await this.#ask('password', deadline, async (server) => {
      const bind = new BindRequest({ messageId: 0, dn, password, controls: [policy] });
      return unlessNotNow(await server.bindAs(deadline, bind), ({ bound }) => bound);
    });
    return bindOutcome(bound.code, bound.diagnostic, policy.value);
  }

  async modify(dn: string, changes: readonly Change[]): Promise<void> {
    const request = new ModifyRequest({ messageId: 0, dn, changes: [...changes] });
    const answer = await this.#asService('change', this.deadline(), request, true);
    if (answer.code !== SUCCESS) throw refusal(answer);
  }

  async changePassword(dn: string, passwords: { old?: string; new: string }): Promise<void> {
    if (passwords.old === '' || passwords.new === '') throw new DirectoryRefused(53, 'A password is empty.');
    const { bind, request, policy } = passwordChange(dn, passwords, this.settings.preset.passwordChange);
    const deadline = this.deadline();
    const answer =
      bind === undefined
        ? await this.#asService('change', deadline, request, true)
        : await this.#ask(
            'change',
            deadline,
            async (server) => {
              const { bound, next } = await server.bindAs(deadline, bind, request);
              return next ?? bound;
            },
            true,
          );
    if (answer.code !== SUCCESS) throw refusal(answer, policy.value?.error);
  }

  async rootDse(): Promise<Entry> {
    const filter = new PresenceFilter({ attribute: 'objectClass' });
    const [entry] = await this.search('', { scope: 'base', filter, attributes: ['*', '+'] });
    if (entry === undefined) throw new DirectoryRefused(SUCCESS, 'The server tells nothing of itself.');
    return entry;
  }

  socket(deadline = this.deadline()): Promise<Socket> {
    return this.#ask('connection', deadline, (server) => server.socket(deadline));
  }

  async close(): Promise<void> {
    this.#servers.close();
  }

  /** Asks as the account that Parley has; `once` where it must not be done twice. */
  #asService(operation: DirectoryOperation, deadline: Deadline, request: Message, once = false): Promise<Answer> {
    return this.#ask(operation, deadline, (server) => askAsService(server, deadline, request, once), once);
  }

  #ask<T>(
    operation: DirectoryOperation,
    deadline: Deadline,
    act: (server: LdapServer) => Promise<T>,
    once = false,
  ): Promise<T> {
    return this.#observe(operation, () => this.#servers.ask(deadline, act, once));
  }
}

async function askAsService(server: LdapServer, deadline: Deadline, request: Message, once: boolean): Promise<Answer> {
  for (;;) {
    const lease = await server.lease(deadline);
    try {
      const answer = await lease.ask(request);
      lease.release();
      return unlessNotNow(answer, (it) => it);
    } catch (error) {
      lease.release(true);
      // The server had closed the connection while nobody used it: that says nothing about how it is now.
      const stale = lease.reused && error instanceof DirectoryAway && !error.late && error.code === undefined;
      if (!stale || once) throw error;
      server.dropIdle();
    }
  }
}

function unlessNotNow<T>(result: T, answerOf: (result: T) => Answer): T {
  const { code, diagnostic } = answerOf(result);
  if (!NOT_NOW.has(code)) return result;
  throw new DirectoryAway(`The server is ${code === 51 ? 'busy' : 'not available'} (${diagnostic || code})`, { code });
}

function searchRequest(base: string, options: SearchOptions): SearchRequest {
  const { scope = 'sub', filter, attributes, sizeLimit = 0, controls = [] } = options;
  const what = { scope, filter, attributes: [...attributes], sizeLimit, timeLimit: 0 };
  return new SearchRequest({ messageId: 0, baseDN: base, ...what, controls: [...controls] });
}

function pageCookie({ response }: Answer): Buffer | undefined {
  const control = response.controls?.find((each) => each instanceof PagedResultsControl);
  const cookie = control?.value?.cookie;
  return cookie === undefined || cookie.length === 0 ? undefined : cookie;
}

const refusal = ({ code, diagnostic }: Answer, policyError?: number): DirectoryRefused =>
  new DirectoryRefused(code, diagnostic || `The directory refuses (${code}).`, policyError);
