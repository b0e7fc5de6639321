import { randomBytes } from 'node:crypto';
import type { Jid } from '@parley/xmpp/jid';
import type { ScramRelay } from '@parley/xmpp/sasl/mechanism';
import {
  falseScramVerifier,
  passwordMatches,
  type ScramHash,
  type ScramVerifier,
} from '@parley/xmpp/sasl/scram-verifier';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { DirectoryConfiguration } from '../../config/directory.ts';
import type { Log } from '../../log.ts';
import type { Awaitable } from '../../pipeline.ts';
import { WindowCount } from '../../stream/window-count.ts';
import { within } from '../../within.ts';
import { inOrder } from '../account-order.ts';
import {
  type AccountChange,
  AccountsAway,
  AccountsBusy,
  type Authenticator,
  type PasswordMechanism,
  type PasswordVerdict,
  type Refusal,
} from '../authenticator.ts';
import type { GroupAccess } from '../group-access.ts';
import { PasswordWork } from '../password-work.ts';
import type { Deadline, Directory } from './directory.ts';
import { DirectoryAway, DirectoryRefused } from './directory-error.ts';
import type { KnownPeople, PersonChange } from './following/known-people.ts';
import type { Lookups } from './lookups.ts';
import type { BindOutcome } from './passwords/bind-outcome.ts';
import { noticeOf, refusalOf, verdictOf } from './passwords/bind-verdict.ts';
import { changedAttribute } from './passwords/password-mark.ts';
import { passwordRefusal } from './passwords/password-refusal.ts';
import type { ScramRelays } from './passwords/scram-relay.ts';
import type { ScramSource } from './passwords/scram-source.ts';
import { NoPerson, type Person } from './person.ts';

export interface DirectoryAuthenticatorOptions {
  readonly directory: Directory;
  readonly people: Pick<KnownPeople, 'get' | 'complete' | 'learn' | 'onChange'>;
  readonly lookups: Lookups;
  /** The same on all nodes, at all times. */
  readonly secret: Buffer;
  readonly log: Log;
  /** Verifiers of people's passwords, where this node has some to look at. */
  readonly scram?: ScramSource | undefined;
  /** SCRAM as the directory speaks it, where it does. */
  readonly relays?: ScramRelays | undefined;
  readonly work?: PasswordWork;
  /** Which groups may log in. */
  readonly access?: GroupAccess | undefined;
}

const WRONG: PasswordVerdict = { accepted: false, condition: 'not-authorized' };
/** RFC 4616 has no longer ones, and some directories stumble over them. */
const LONGEST_PASSWORD = 1023;
/** The hash of the verifier that a password is compared with. */
const PASSWORD_HASH: ScramHash = 'SHA-256';
const GUESSES_MS = 600_000;
/** So long a login waits until all nodes know somebody of whom they had not heard. */
const LEARN_MS = 1000;
/** RFC 4511 §4.1.9: invalidCredentials; strongerAuthRequired, confidentialityRequired, insufficientAccessRights */
const WRONG_PASSWORD = 49;
const UNENCRYPTED = 'The directory wants an encrypted connection for that: switch `startTls` on, or write ldaps://.';
const NOT_BY_US = 'Allow `bind.dn` to change passwords, or have people do it themselves: `passwords.change: person`.';
const NOT_BY_THEM = 'Allow people to change their own password, or write `passwords.change: service`.';
const NOT_FOR_US = new Map<number, readonly [string, string]>([
  [8, [UNENCRYPTED, UNENCRYPTED]],
  [13, [UNENCRYPTED, UNENCRYPTED]],
  [50, [NOT_BY_US, NOT_BY_THEM]],
]);

/** The accounts that are people of one directory. */
export class DirectoryAuthenticator implements Authenticator {
  readonly #options: DirectoryAuthenticatorOptions;
  readonly #directory: Directory;
  readonly #lookups: Lookups;
  readonly #work: PasswordWork;
  readonly #guesses = new WindowCount();
  readonly #mechanisms: ReadonlySet<PasswordMechanism>;
  readonly #listeners: ((change: AccountChange) => Awaitable<void>)[] = [];

  constructor(options: DirectoryAuthenticatorOptions) {
    this.#options = options;
    this.#directory = options.directory;
    this.#lookups = options.lookups;
    this.#work = options.work ?? new PasswordWork();
    this.#mechanisms = directoryMechanisms(options.directory.settings.passwords);
    options.people.onChange((change) => this.#onPersonChange(change));
    options.access?.onLost((account, { text }) => void this.#loggedOut(account, text));
  }

  get #passwords() {
    return this.#directory.settings.passwords;
  }

  exists(account: Jid): Awaitable<boolean> {
    const state = this.#lookups.state(account);
    return state instanceof Promise ? state.then((found) => found !== undefined) : state !== undefined;
  }

  async refusal(account: Jid): Promise<Refusal | undefined> {
    const state = await this.#lookups.state(account);
    if (state === undefined) return { condition: 'not-authorized' };
    return refusalOf(state, this.#passwords) ?? this.#options.access?.refusal(account);
  }

  async notice(account: Jid): Promise<string | undefined> {
    const state = await this.#lookups.state(account);
    return state && noticeOf(state, this.#passwords);
  }

  mechanisms(): ReadonlySet<PasswordMechanism> {
    return this.#mechanisms;
  }

  // --- by the password ---------------------------------------------------------------------------------------------

  async verifyPassword(account: Jid, password: string): Promise<PasswordVerdict> {
    // With an empty password a bind would be one of nobody (RFC 4513 §5.1.2), and succeed.
    if (password === '' || password.includes('\0') || Buffer.byteLength(password) > LONGEST_PASSWORD) return WRONG;
    const deadline = this.#directory.deadline();
    const person = await this.#lookups.find(account, deadline);
    const known = await this.#compare(account, person, password, deadline);
    const tried = person !== undefined && !(known === 'differs' && this.#isSpared(account)) ? person : undefined;
    // As much is asked for somebody unknown: under a name that nobody has.
    const dn = tried?.dn ?? `cn=nobody-${randomBytes(8).toString('hex')},${this.#directory.settings.people.base}`;
    const outcome = await this.#lookups.ask((directory) => directory.bindAs(dn, password, deadline));
    if (outcome.kind === 'away') throw new AccountsAway();
    if (tried === undefined) return WRONG;
    const verdict = this.#judge(tried, outcome, known === 'fits');
    if (verdict.accepted) await this.#welcome(tried, password);
    else if (known === 'fits' && verdict === WRONG) await this.#inAnyCase(this.#options.scram?.forget?.(account));
    return verdict;
  }

  /** `fits`: the password is known to be right, although the directory may not have looked at it. */
  #judge({ state }: Person, outcome: BindOutcome, fits: boolean): PasswordVerdict {
    const passwords = this.#passwords;
    const { kind } = outcome;
    if (outcome.proved) return verdictOf(outcome, passwords);
    if (kind === 'locked' || kind === 'disabled') return verdictOf(outcome, passwords, fits || passwords.tellLocked);
    const refusal = fits ? refusalOf(state, passwords) : undefined;
    return refusal === undefined ? WRONG : { accepted: false, ...refusal };
  }

  /** Whether the verifier that is here fits the password; as much work where there is none. */
  async #compare(
    account: Jid,
    person: Person | undefined,
    password: string,
    deadline: Deadline,
  ): Promise<'fits' | 'differs' | 'unknown'> {
    const { scram } = this.#options;
    if (scram === undefined) return 'unknown';
    const found = await this.#verifierOf(scram, account, person, PASSWORD_HASH, deadline);
    const verifier = found ?? scram.falseVerifier(account, PASSWORD_HASH);
    const matches = await this.#work.run(() => passwordMatches(verifier, password));
    if (found === undefined) return 'unknown';
    return matches ? 'fits' : 'differs';
  }

  /**
   * The directory locks accounts at which too many wrong passwords are tried. What differs from the password that it has
   * taken before reaches it a few times only, so that strangers cannot have it lock out the owner, who has the right one.
   */
  #isSpared(account: Jid): boolean {
    if (!this.#options.scram?.spares) return false;
    return this.#guesses.add(account.bareText, GUESSES_MS, performance.now()) > this.#passwords.mostGuesses;
  }

  /** Somebody has come in by the password: what is known without the directory is to be so, too. */
  async #welcome(person: Person, password: string): Promise<void> {
    this.#lookups.letIn(person.account);
    this.#guesses.delete(person.account.bareText);
    await this.#known(person);
    await this.#inAnyCase(this.#options.scram?.right?.(person, password));
  }

  async #known(person: Person): Promise<void> {
    await within(this.#inAnyCase(this.#options.people.learn(person)), LEARN_MS);
  }

  /** What fails here keeps nobody out. */
  async #inAnyCase(work: Promise<void> | undefined): Promise<void> {
    try {
      await work;
    } catch (error) {
      const message = (error as Error).message;
      this.#options.log.flood('directory.not-kept', { directory: this.#directory.name, message });
    }
  }

  // --- by SCRAM ----------------------------------------------------------------------------------------------------

  async verifier(account: Jid, hash: ScramHash): Promise<ScramVerifier | undefined> {
    const { scram } = this.#options;
    if (scram === undefined) return undefined;
    const deadline = this.#directory.deadline();
    const person = await this.#lookups.find(account, deadline);
    return this.#verifierOf(scram, account, person, hash, deadline);
  }

  async #verifierOf(
    scram: ScramSource,
    account: Jid,
    person: Person | undefined,
    hash: ScramHash,
    deadline: Deadline,
  ): Promise<ScramVerifier | undefined> {
    if (person !== undefined) return scram.verifier(person, hash, deadline);
    await scram.none(account, hash, deadline);
    return undefined;
  }

  falseVerifier(account: Jid, hash: ScramHash): ScramVerifier {
    const { scram, secret } = this.#options;
    return scram?.falseVerifier(account, hash) ?? falseScramVerifier(secret, account.bareText, hash);
  }

  relay(account: Jid, hash: ScramHash): ScramRelay | undefined {
    return this.#options.relays?.begin(account, hash);
  }

  // --- changes -----------------------------------------------------------------------------------------------------

  creates(): boolean {
    return false;
  }

  async passwordMark(account: Jid): Promise<string | undefined> {
    const { entry } = (await this.#lookups.find(account)) ?? {};
    return entry?.text(changedAttribute(this.#directory.settings));
  }

  renews(): boolean {
    return this.#passwords.change !== 'none';
  }

  /**
   * Somebody who has to change their password does so themselves, for which it is still good: set by the account of Parley, it
   * would have to be changed again. One that has expired is good for nothing in some directories, so that only that account can.
   */
  async renewal(account: Jid): Promise<{ readonly byOld: boolean } | undefined> {
    const { change } = this.#passwords;
    const person = change === 'none' ? undefined : await this.#lookups.find(account);
    switch (person?.state.kind) {
      case 'must-change':
        return { byOld: true };
      case 'expired':
        if (this.#directory.settings.preset.expiredCanChange) return { byOld: true };
        return change === 'service' ? { byOld: false } : undefined;
    }
    return undefined;
  }

  async setPassword(account: Jid, password: string, sessionId?: string, old?: string): Promise<void> {
    const { change } = this.#passwords;
    if (change === 'none') throw new StanzaError('not-allowed', { text: 'Passwords are changed in the directory.' });
    if (change === 'person' && sessionId !== undefined && old === undefined) {
      throw new StanzaError('not-authorized', { text: 'The old password is needed, too.' });
    }
    try {
      const person = await this.#lookups.find(account);
      if (person === undefined) throw new StanzaError('item-not-found', { text: 'There is no such account.' });
      await this.#directory.changePassword(person.dn, { new: password, ...(old !== undefined && { old }) });
    } catch (error) {
      throw this.#inWords(error, old !== undefined);
    }
    await this.#inAnyCase(this.#options.scram?.forget?.(account));
    this.#lookups.forget(account);
    await this.#tell({ account, change: 'password', sessionId });
  }

  /** Why the directory does not take a password. */
  #inWords(error: unknown, withOld: boolean): unknown {
    if (error instanceof DirectoryAway || error instanceof AccountsBusy) return new AccountsAway({ cause: error });
    if (!(error instanceof DirectoryRefused)) return error;
    const { code } = error;
    const cure = NOT_FOR_US.get(code)?.[withOld ? 1 : 0];
    if (cure !== undefined) {
      this.#options.log.flood('directory.password-refused', { directory: this.#directory.name, code, message: cure });
      return new StanzaError('not-allowed', { text: 'The directory does not let it be changed here.' });
    }
    if (code === WRONG_PASSWORD && withOld)
      return new StanzaError('not-authorized', { text: 'The old password is wrong.' });
    return new StanzaError('not-acceptable', { text: passwordRefusal(error) });
  }

  list(domain: string, after?: Jid): AsyncIterable<readonly Jid[]> {
    return inOrder(this.#people(domain), after); // a directory has an order of its own, or none
  }

  async *#people(domain: string): AsyncGenerator<readonly Jid[], void, undefined> {
    const { settings } = this.#directory;
    const { base, scope, filter, attributes } = settings.people;
    for await (const entries of this.#directory.searchPages(base, { scope, filter, attributes })) {
      const people = await Promise.all(entries.map((entry) => this.#directory.person(entry)));
      yield people.flatMap((person) =>
        person instanceof NoPerson || person.account.domain !== domain ? [] : [person.account],
      );
    }
  }

  onChange(listener: (change: AccountChange) => Awaitable<void>): void {
    this.#listeners.push(listener);
  }

  /** Of what happens in the directory every node hears by itself. */
  changedElsewhere(change: AccountChange): void {
    if (change.change !== 'password') return;
    this.#lookups.forget(change.account);
    void this.#tell({ ...change, elsewhere: true });
  }

  /** Somebody has left the groups that may log in: every node hears of that by itself. */
  async #loggedOut(account: Jid, reason: string | undefined): Promise<void> {
    if (await this.exists(account)) await this.#tell({ account, change: 'disabled', reason, elsewhere: true });
  }

  #onPersonChange({ kind, account, before, state, elsewhere }: PersonChange): Awaitable<void> {
    this.#lookups.forget(account);
    if (before !== undefined) this.#lookups.forget(before);
    const gone = kind === 'removed' ? account : before;
    if (gone !== undefined && !elsewhere) void this.#inAnyCase(this.#options.scram?.forget?.(gone));
    switch (kind) {
      case 'removed': {
        // What belongs to it stays: it may be a filter that has changed.
        const reason = 'This account is not in the directory any more.';
        return this.#tell({ account, change: 'disabled', reason, elsewhere: true });
      }
      case 'moved':
        return before && this.#tellMoved(before, account, elsewhere);
      case 'added':
      case 'changed': {
        const refusal = refusalOf(state, this.#passwords);
        // whoever was disabled before being known here may have logged in before that
        const good = kind === 'added' ? 'created' : 'enabled';
        const change = refusal === undefined ? good : 'disabled';
        return this.#tell({ account, change, reason: refusal?.text, elsewhere: true });
      }
    }
  }

  /** Whoever follows the directory has what belongs to the account moved, and that alone tells it without `elsewhere`. */
  async #tellMoved(account: Jid, to: Jid, elsewhere: true | undefined): Promise<void> {
    const person = (await this.#options.people.get(to))?.id;
    const reason = `The address of this account is ${to} now.`;
    await this.#tell({ account, change: 'moved', to, person, reason, ...(elsewhere && { elsewhere }) });
  }

  async #tell(change: AccountChange): Promise<void> {
    for (const told of this.#listeners.map((listener) => listener(change))) await told;
  }
}

/** What all people of a directory can log in with. */
export function directoryMechanisms(
  passwords: Pick<DirectoryConfiguration['passwords'], 'scram' | 'hashes'>,
): ReadonlySet<PasswordMechanism> {
  const hashes: readonly ScramHash[] = passwords.scram === 'learn' ? ['SHA-512', 'SHA-256', 'SHA-1'] : passwords.hashes;
  const mechanisms = new Set<PasswordMechanism>(['PLAIN']);
  if (passwords.scram === 'none') return mechanisms;
  for (const hash of hashes) {
    mechanisms.add(`SCRAM-${hash}`);
    // a directory that speaks it itself knows nothing of the channel
    if (passwords.scram !== 'relay') mechanisms.add(`SCRAM-${hash}-PLUS`);
  }
  return mechanisms;
}
