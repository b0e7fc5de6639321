import { createHmac } from 'node:crypto';
import type { Jid } from '@parley/xmpp/jid';
import type { ScramRelay } from '@parley/xmpp/sasl/mechanism';
import type { ScramHash, ScramParameters, ScramVerifier } from '@parley/xmpp/sasl/scram-verifier';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { Awaitable } from '../pipeline.ts';
import { MadeBefore } from '../stream/made-before.ts';
import { within } from '../within.ts';
import { merged } from './account-order.ts';
import type {
  AccountChange,
  AccountImports,
  Authenticator,
  PasswordMechanism,
  PasswordVerdict,
  Refusal,
} from './authenticator.ts';
import { importsIntoSources } from './imports-into-sources.ts';

export interface AccountSourcesOptions {
  /** By the names that the configuration has for them. */
  readonly sources: ReadonlyMap<string, Authenticator>;
  /** The names of a domain's sources, in the order in which they are asked: at least one. */
  of(domain: string): readonly string[];
  /** Says as which source's account somebody unknown is treated: the same on all nodes, at all times. */
  readonly secret: Buffer;
}

interface Source {
  readonly name: string;
  readonly accounts: Authenticator;
}

/** At a login the later sources have so much time to answer, too, once an earlier one has said that it is his account. */
const EVEN_MS = 250;

const NOWHERE: Refusal = { condition: 'not-authorized' };
const NOTHING: ReadonlySet<PasswordMechanism> = new Set();

/**
 * The accounts of all domains, each kept by what its domain uses: the first source that knows an account decides on it.
 * Somebody unknown is treated as an unknown account of one of the sources, always the same one, so that an answer in the
 * manner of a source does not tell that there is such an account.
 */
export class AccountSources implements Authenticator {
  readonly #options: AccountSourcesOptions;
  readonly #listeners: ((change: AccountChange) => Awaitable<void>)[] = [];
  /** What several carry: the same set each time, since offers are made once for each. */
  readonly #common = new MadeBefore<ReadonlySet<PasswordMechanism>>();
  readonly imports: AccountImports;

  constructor(options: AccountSourcesOptions) {
    this.#options = options;
    this.imports = importsIntoSources(
      (account) => this.#find(account),
      (domain) => this.#creator(domain),
    );
    for (const [name, accounts] of options.sources) {
      accounts.onChange((change) => this.#changed({ name, accounts }, change));
    }
  }

  #of(domain: string): Source[] {
    return this.#options.of(domain).flatMap((name) => {
      const accounts = this.#options.sources.get(name);
      return accounts === undefined ? [] : [{ name, accounts }];
    });
  }

  /** Where there is one source, there is nothing to look for. */
  #only(account: Jid): Authenticator | undefined {
    const [first, second] = this.#of(account.domain);
    return second === undefined ? first?.accounts : undefined;
  }

  /** Asks one after the other. */
  async #find(account: Jid): Promise<Authenticator | undefined> {
    for (const { accounts } of this.#of(account.domain)) if (await accounts.exists(account)) return accounts;
    return undefined;
  }

  /** Asks all, so that it takes as long whoever knows the account, or nobody; then whoever is to deal with the login. */
  async #forLogin(account: Jid): Promise<Authenticator | undefined> {
    const sources = this.#of(account.domain);
    const asked = sources.map(({ accounts }) => (async () => accounts.exists(account))());
    const all = Promise.allSettled(asked);
    for (const [index, answer] of asked.entries()) {
      if (!(await answer)) continue;
      await within(all, EVEN_MS);
      return sources[index]?.accounts;
    }
    return this.#pretended(account);
  }

  /** As whose unknown account this one is treated. */
  #pretended(account: Jid): Authenticator | undefined {
    const sources = this.#of(account.domain);
    const drawn = createHmac('sha256', this.#options.secret).update(account.bareText).digest().readUInt32BE();
    return sources[drawn % sources.length]?.accounts;
  }

  exists(account: Jid): Awaitable<boolean> {
    const only = this.#only(account);
    return only === undefined ? this.#find(account).then((found) => found !== undefined) : only.exists(account);
  }

  refusal(account: Jid): Awaitable<Refusal | undefined> {
    const only = this.#only(account);
    if (only !== undefined) return only.refusal(account);
    return this.#find(account).then((found) => (found === undefined ? NOWHERE : found.refusal(account)));
  }

  /** Nothing is offered that only some of those who choose it could log in with. */
  mechanisms(domain: string): ReadonlySet<PasswordMechanism> {
    const each = this.#of(domain).map(({ accounts }) => accounts.mechanisms(domain));
    const [first = NOTHING, ...others] = each;
    return others.length === 0
      ? first
      : this.#common.of(each, () => others.reduce((common, more) => common.intersection(more), first));
  }

  async verifyPassword(account: Jid, password: string): Promise<PasswordVerdict> {
    const accounts = this.#only(account) ?? (await this.#forLogin(account));
    return accounts?.verifyPassword(account, password) ?? { accepted: false, condition: 'not-authorized' };
  }

  verifier(account: Jid, hash: ScramHash): Awaitable<ScramVerifier | undefined> {
    const only = this.#only(account);
    if (only !== undefined) return only.verifier(account, hash);
    return this.#forLogin(account).then(async (accounts) => {
      const verifier = await accounts?.verifier(account, hash);
      if (verifier !== undefined || accounts === this.#pretended(account)) return verifier;
      // there is an account without one: the challenge is as it will be when there comes to be one, and no password fits
      return accounts?.falseVerifier(account, hash);
    });
  }

  falseVerifier(account: Jid, hash: ScramHash): ScramVerifier {
    const accounts = this.#pretended(account);
    if (accounts === undefined) throw new Error(`${account.domain} keeps its accounts nowhere.`);
    return accounts.falseVerifier(account, hash);
  }

  relay(account: Jid, hash: ScramHash): Awaitable<ScramRelay | undefined> {
    const only = this.#only(account);
    if (only !== undefined) return only.relay?.(account, hash);
    if (!this.#of(account.domain).some(({ accounts }) => accounts.relay !== undefined)) return undefined;
    return this.#forLogin(account).then((accounts) => accounts?.relay?.(account, hash));
  }

  notice(account: Jid): Awaitable<string | undefined> {
    const only = this.#only(account);
    if (only !== undefined) return only.notice?.(account);
    return this.#find(account).then((accounts) => accounts?.notice?.(account));
  }

  upgrades(domain: string): readonly ScramHash[] {
    return (
      this.#of(domain)
        .find(({ accounts }) => accounts.upgrades)
        ?.accounts.upgrades?.(domain) ?? []
    );
  }

  async upgrade(account: Jid, hash: ScramHash): Promise<ScramParameters | undefined> {
    return (await this.#find(account))?.upgrade?.(account, hash);
  }

  async keepUpgraded(account: Jid, better: ScramVerifier, proved: ScramVerifier): Promise<boolean> {
    return (await (await this.#find(account))?.keepUpgraded?.(account, better, proved)) ?? false;
  }

  renews(domain: string): boolean {
    return this.#of(domain).some(({ accounts }) => accounts.renews?.(domain));
  }

  async renewal(account: Jid): Promise<{ readonly byOld: boolean } | undefined> {
    return (await this.#find(account))?.renewal?.(account);
  }

  async passwordMark(account: Jid): Promise<string | undefined> {
    return (await this.#find(account))?.passwordMark?.(account);
  }

  creates(domain: string): boolean {
    return this.#creator(domain) !== undefined;
  }

  #creator(domain: string): Authenticator | undefined {
    return this.#of(domain).find(({ accounts }) => accounts.creates(domain))?.accounts;
  }

  async create(account: Jid, password: string): Promise<void> {
    const creator = this.#creator(account.domain);
    if (creator?.create === undefined) throw elsewhere();
    if ((await this.#find(account)) !== undefined) {
      throw new StanzaError('conflict', { text: 'There is such an account already.' });
    }
    await creator.create(account, password);
  }

  setPassword(account: Jid, password: string, sessionId?: string, old?: string): Promise<void> {
    return this.#ask(account, (accounts) => accounts.setPassword?.(account, password, sessionId, old));
  }

  /** Of somebody who is in a directory no more, what they have left behind: it would be that of whoever gets the address. */
  async remove(account: Jid, sessionId?: string): Promise<void> {
    if ((await this.#find(account)) === undefined && (await this.#removeRemains(account))) {
      await this.#tell({ account, change: 'removed' });
    } else await this.#ask(account, (accounts) => accounts.remove?.(account, sessionId));
  }

  /** An address is that of another person of this source than before: what was kept there goes, unless it is of another source. */
  async startAnew(account: Jid, source: string): Promise<void> {
    for (const { name, accounts } of this.#of(account.domain)) {
      if (name !== source && (await accounts.exists(account))) return;
    }
    if (await this.#removeRemains(account)) await this.#tell({ account, change: 'removed' });
  }

  async #removeRemains(account: Jid): Promise<boolean> {
    for (const accounts of this.#options.sources.values()) if (await accounts.removeRemains?.(account)) return true;
    return false;
  }

  disable(account: Jid): Promise<void> {
    return this.#ask(account, (accounts) => accounts.disable?.(account));
  }

  enable(account: Jid): Promise<void> {
    return this.#ask(account, (accounts) => accounts.enable?.(account));
  }

  /** Has whoever keeps the account change it. */
  async #ask(account: Jid, change: (accounts: Authenticator) => Promise<void> | undefined): Promise<void> {
    const accounts = await this.#find(account);
    if (accounts === undefined) throw new StanzaError('item-not-found', { text: 'There is no such account.' });
    const changed = change(accounts);
    if (changed === undefined) throw elsewhere();
    await changed;
  }

  async secretsOf(account: Jid): Promise<readonly ScramVerifier[]> {
    return (await (await this.#find(account))?.secretsOf?.(account)) ?? [];
  }

  list(domain: string, after?: Jid): AsyncIterable<readonly Jid[]> {
    return merged(this.#of(domain).map(({ accounts }) => this.#decidedBy(accounts, domain, after)));
  }

  async *#decidedBy(accounts: Authenticator, domain: string, after?: Jid): AsyncGenerator<readonly Jid[], void> {
    for await (const page of accounts.list?.(domain, after) ?? []) {
      const deciding = await Promise.all(page.map(async (account) => (await this.#find(account)) === accounts));
      yield page.filter((_, index) => deciding[index]);
    }
  }

  onChange(listener: (change: AccountChange) => Awaitable<void>): void {
    this.#listeners.push(listener);
  }

  changedElsewhere(change: AccountChange): void {
    if (change.source !== undefined) {
      this.#options.sources.get(change.source)?.changedElsewhere?.(change);
      return;
    }
    // it was moved, from or to whichever of them
    for (const accounts of this.#options.sources.values()) accounts.changedElsewhere?.(change);
    void this.#tell({ ...change, elsewhere: true });
  }

  async displaces({ account, source }: AccountChange): Promise<boolean> {
    const sources = this.#of(account.domain);
    const place = sources.findIndex(({ name }) => name === source);
    for (const { accounts } of sources.slice(0, Math.max(0, place))) if (await accounts.exists(account)) return false;
    for (const { accounts } of sources.slice(place + 1)) if (await accounts.exists(account)) return true;
    return false;
  }

  /** An account of which another source decides has not changed. */
  #changed(source: Source, change: AccountChange): Awaitable<void> {
    // an account may move away from a domain that is served no more
    const [own, other] = [this.#of(change.account.domain), change.to && this.#of(change.to.domain)];
    const sources = own.length > 0 || other === undefined ? own : other;
    const place = sources.findIndex(({ name }) => name === source.name);
    if (place < 0) return;
    // a directory tells of thousands: who decides is looked up for those alone who are logged in
    const comes = change.change === 'created' && change.elsewhere;
    if (place === 0 || comes) return this.#tell({ ...change, source: source.name });
    return this.#tellUnlessDecided(sources.slice(0, place), { ...change, source: source.name });
  }

  async #tellUnlessDecided(earlier: readonly Source[], change: AccountChange): Promise<void> {
    for (const { accounts } of earlier) if (await accounts.exists(change.account)) return;
    await this.#tell(change);
  }

  async #tell(change: AccountChange): Promise<void> {
    for (const told of this.#listeners.map((listener) => listener(change))) await told;
  }
}

const elsewhere = () =>
  new StanzaError('not-allowed', { text: 'These accounts are kept in a directory: change them there.' });
