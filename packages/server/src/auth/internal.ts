import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Jid } from '@parley/xmpp/jid';
import { PasswordError, preparePassword } from '@parley/xmpp/password';
import {
  deriveScramVerifier,
  falseScramVerifier,
  parseScramVerifier,
  passwordMatches,
  type ScramHash,
  type ScramParameters,
  type ScramVerifier,
  scramHashes,
} from '@parley/xmpp/sasl/scram-verifier';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { Awaitable } from '../pipeline.ts';
import { AccountCache, type AccountCacheOptions } from './account-cache.ts';
import type { AccountRecord, AccountStore } from './account-store.ts';
import {
  type AccountChange,
  AccountsBusy,
  type Authenticator,
  type PasswordMechanism,
  type PasswordVerdict,
  type Refusal,
} from './authenticator.ts';
import { InternalImports } from './internal-imports.ts';
import { IterationCounts } from './iteration-counts.ts';
import type { KeptCounts } from './kept-counts.ts';
import { PasswordWork } from './password-work.ts';

export interface InternalAuthenticatorOptions {
  readonly store: AccountStore;
  /** Makes the false verifiers of unknown accounts: the same on all nodes, at all times. */
  readonly secret: Buffer;
  /** SCRAM iterations for passwords set from now on. */
  iterations(): number;
  /** The numbers of iterations that other nodes have met. */
  readonly counts?: KeptCounts;
  readonly work?: PasswordWork;
  readonly cache?: AccountCacheOptions;
}

/** The hashes that a password is checked by, the first that there is: all verifiers of an account are of the same one. */
const PASSWORD_HASHES: readonly ScramHash[] = ['SHA-256', 'SHA-512', 'SHA-1'];
const PASSWORD_HASH: ScramHash = 'SHA-256';
/** What clients may bring verifiers of (XEP-0480). */
const UPGRADES: readonly ScramHash[] = ['SHA-512', 'SHA-256'];

/** What can be done where the server has the verifiers itself. */
export const ownMechanisms: ReadonlySet<PasswordMechanism> = new Set([
  'PLAIN',
  ...scramHashes.flatMap((hash) => [`SCRAM-${hash}`, `SCRAM-${hash}-PLUS`] as const),
]);

/** Accounts that the server keeps itself, in the keyspace. */
export class InternalAuthenticator implements Authenticator {
  readonly #store: AccountStore;
  readonly #secret: Buffer;
  readonly #iterations: () => number;
  readonly #counts: IterationCounts;
  readonly #work: PasswordWork;
  readonly #cache: AccountCache;
  readonly imports: InternalImports;
  readonly #listeners: ((change: AccountChange) => Awaitable<void>)[] = [];

  constructor({ store, secret, iterations, counts, work = new PasswordWork(), cache }: InternalAuthenticatorOptions) {
    this.#store = store;
    this.#secret = secret;
    this.#iterations = iterations;
    this.#counts = new IterationCounts(iterations, secret, counts);
    this.#work = work;
    this.#cache = new AccountCache((account) => store.find(account), cache);
    this.imports = new InternalImports({
      store,
      derive: (account, password) => this.#derive(account, password),
      change: (account, change) => this.#change(account, change),
      tell: (account, change) => this.#tell({ account, change }),
    });
  }

  exists(account: Jid): Awaitable<boolean> {
    return this.#ask(account, (record) => record !== undefined);
  }

  refusal(account: Jid): Awaitable<Refusal | undefined> {
    return this.#ask(account, (record) => {
      if (record === undefined) return { condition: 'not-authorized' };
      return record.disabled ? { condition: 'account-disabled' } : undefined;
    });
  }

  mechanisms(): ReadonlySet<PasswordMechanism> {
    return ownMechanisms;
  }

  verifier(account: Jid, hash: ScramHash): Awaitable<ScramVerifier | undefined> {
    return this.#ask(account, (record) => record && this.#counts.see(verifierOf(record, hash)));
  }

  falseVerifier(account: Jid, hash: ScramHash): ScramVerifier {
    return falseScramVerifier(this.#secret, account.bareText, hash, this.#counts.pretended(account));
  }

  async verifyPassword(account: Jid, password: string): Promise<PasswordVerdict> {
    const found = await this.#anyVerifier(account);
    // for an unknown name the same work is done
    const verifier = found ?? this.falseVerifier(account, PASSWORD_HASH);
    const matches = await this.#work.run(() => passwordMatches(verifier, password));
    if (!matches || found === undefined) return { accepted: false, condition: 'not-authorized' };
    await this.#improve(account, password, found);
    return { accepted: true };
  }

  // --- better verifiers of the same password ----------------------------------------------------------------------

  upgrades(): readonly ScramHash[] {
    return UPGRADES;
  }

  upgrade(account: Jid, hash: ScramHash): Awaitable<ScramParameters | undefined> {
    return this.#ask(account, (record) =>
      record !== undefined && this.#isPoor(verifierOf(record, hash)) ? this.#parameters(account, hash) : undefined,
    );
  }

  async keepUpgraded(account: Jid, better: ScramVerifier, proved: ScramVerifier): Promise<boolean> {
    const kept = await this.#change(account, () => this.#store.addVerifiers(account, proved, [better]));
    if (kept) await this.#tell({ account, change: 'upgraded' });
    return kept;
  }

  #isPoor(verifier: ScramVerifier | undefined): boolean {
    return verifier === undefined || verifier.iterations < this.#iterations();
  }

  #parameters(account: Jid, hash: ScramHash): ScramParameters {
    return { hash, iterations: this.#iterations(), salt: this.falseVerifier(account, hash).salt };
  }

  /** Whoever logs in by PLAIN has shown what all verifiers can be made of. What fails here keeps nobody out. */
  async #improve(account: Jid, password: string, proved: ScramVerifier): Promise<void> {
    try {
      const record = await this.#cache.get(account);
      const poor = scramHashes.filter((hash) => record !== undefined && this.#isPoor(verifierOf(record, hash)));
      if (poor.length === 0) return;
      const better = await this.#derive(account, password, poor);
      const kept = await this.#change(account, () => this.#store.addVerifiers(account, proved, better));
      if (kept) await this.#tell({ account, change: 'upgraded' });
    } catch (error) {
      if (!(error instanceof KeyspaceError || error instanceof StanzaError)) throw error;
    }
  }

  async #anyVerifier(account: Jid): Promise<ScramVerifier | undefined> {
    for (const hash of PASSWORD_HASHES) {
      const verifier = await this.verifier(account, hash);
      if (verifier !== undefined) return verifier;
    }
    return undefined;
  }

  #ask<T>(account: Jid, question: (record: AccountRecord | undefined) => T): Awaitable<T> {
    const record = this.#cache.get(account);
    return record instanceof Promise ? record.then(question) : question(record);
  }

  /** Kept with the verifiers, so that what it is good for ends in the moment in which they change. */
  passwordMark(account: Jid): Awaitable<string | undefined> {
    return this.#ask(account, (record) => record?.mark);
  }

  creates(): boolean {
    return true;
  }

  async create(account: Jid, password: string): Promise<void> {
    if (account.local === '' || !account.isBare) throw new StanzaError('jid-malformed');
    const verifiers = await this.#derive(account, password);
    const created = await this.#change(account, () => this.#store.create(account, verifiers));
    if (!created) throw new StanzaError('conflict', { text: 'There is such an account already.' });
    await this.#tell({ account, change: 'created' });
  }

  async setPassword(account: Jid, password: string, sessionId?: string): Promise<void> {
    const verifiers = await this.#derive(account, password);
    await this.#changeKnown(account, () => this.#store.setVerifiers(account, verifiers));
    await this.#tell({ account, change: 'password', sessionId });
  }

  async disable(account: Jid): Promise<void> {
    await this.#changeKnown(account, () => this.#store.setDisabled(account, true));
    await this.#tell({ account, change: 'disabled' });
  }

  async enable(account: Jid): Promise<void> {
    await this.#changeKnown(account, () => this.#store.setDisabled(account, false));
    await this.#tell({ account, change: 'enabled' });
  }

  async remove(account: Jid, sessionId?: string): Promise<void> {
    // Nobody logs in from here on. Where what follows is cut short, the account is still there to be removed again.
    await this.#changeKnown(account, () => this.#store.setDisabled(account, true));
    // Listeners end its sessions and ask for what they still need of it before anything is deleted.
    const told = this.#tell({ account, change: 'removed', sessionId });
    await this.#change(account, () => this.#store.remove(account));
    await told;
  }

  removeRemains(account: Jid): Promise<boolean> {
    return this.#change(account, () => this.#store.remove(account));
  }

  async secretsOf(account: Jid): Promise<readonly ScramVerifier[]> {
    const record = await this.#store.find(account);
    const verifiers = scramHashes.map((hash) => record && verifierOf(record, hash));
    return verifiers.filter((verifier) => verifier !== undefined);
  }

  list(domain: string, after?: Jid): AsyncIterable<readonly Jid[]> {
    return this.#store.list(domain, after);
  }

  onChange(listener: (change: AccountChange) => Awaitable<void>): void {
    this.#listeners.push(listener);
  }

  /** The account was changed by somebody else: what is known of it is asked for again. */
  forget(account: Jid): void {
    this.#cache.forget(account);
  }

  changedElsewhere(change: AccountChange): void {
    this.forget(change.account);
    void this.#tell({ ...change, elsewhere: true });
  }

  /**
   * The salts are those by which somebody unknown is challenged, so that nobody sees that there comes to be an account, nor
   * that its password is another one.
   */
  async #derive(account: Jid, password: string, which = scramHashes): Promise<ScramVerifier[]> {
    try {
      const prepared = preparePassword(password);
      return await this.#work.run(() =>
        Promise.all(which.map((hash) => deriveScramVerifier(prepared, hash, this.#parameters(account, hash)))),
      );
    } catch (error) {
      if (error instanceof PasswordError) throw new StanzaError('not-acceptable', { text: `${error.message}.` });
      if (error instanceof AccountsBusy) throw new StanzaError('resource-constraint');
      throw error;
    }
  }

  async #changeKnown(account: Jid, change: () => Promise<boolean>): Promise<void> {
    if (!(await this.#change(account, change))) {
      throw new StanzaError('item-not-found', { text: 'There is no such account.' });
    }
  }

  async #change<T>(account: Jid, change: () => Promise<T>): Promise<T> {
    try {
      return await change();
    } finally {
      this.#cache.forget(account); // where the outcome is unknown, too
    }
  }

  async #tell(change: AccountChange): Promise<void> {
    for (const told of this.#listeners.map((listener) => listener(change))) await told;
  }
}

function verifierOf(record: AccountRecord, hash: ScramHash): ScramVerifier | undefined {
  const line = record.verifiers.get(hash);
  if (line === undefined) return undefined;
  const verifier = parseScramVerifier(line);
  if (verifier === undefined) throw new KeyspaceError('damaged', `The ${hash} verifier of an account cannot be read.`);
  return verifier;
}
