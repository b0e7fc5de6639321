import { setTimeout as delay } from 'node:timers/promises';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Metrics } from '@parley/metrics/registry';
import type { Jid } from '@parley/xmpp/jid';
import type { KerberosService } from '@parley/xmpp/sasl/mechanism';
import type { ScramVerifier } from '@parley/xmpp/sasl/scram-verifier';
import { SaslError } from '@parley/xmpp/sasl-error';
import { StreamError } from '@parley/xmpp/stream-error';
import { AccountsAway, AccountsBusy, type Authenticator, type Refusal } from '../auth/authenticator.ts';
import type { Configuration } from '../config/schema.ts';
import type { Log } from '../log.ts';
import { network } from '../net/connection-limits.ts';
import type { Peers } from '../peers.ts';
import { ChangedPasswords } from './changed-passwords.ts';
import type { Stream } from './stream.ts';
import type { Grant } from './stream-access.ts';
import { WindowCount } from './window-count.ts';

/** What logins know of Kerberos: whether it can be offered, and who speaks it. */
export interface Tickets {
  /** Tickets can be accepted, as far as is known. */
  readonly usable: boolean;
  /** The host that clients are to ask for a ticket for (XEP-0233); '' where they are told none. */
  readonly hostName: string;
  /** The configuration may be another one: finds out anew whether they can. */
  examine(): Promise<void>;
  /** For a client at an address that wants to log in to a domain. */
  at(domain: string, address: string): KerberosService;
}

export interface LoginsOptions {
  readonly config: () => Configuration;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly authenticator: Authenticator;
  /** Kerberos. */
  readonly tickets?: Tickets;
  /** Limits by address do not apply to it. */
  trusts(address: string): boolean;
  /** The other nodes, which count together with this one. */
  readonly peers?: Peers;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  /** Waits so many milliseconds. */
  readonly wait?: (ms: number) => Promise<void>;
}

/**
 * What an attempt counts in which no password was tried: clients that bind to channels in their own way go through
 * mechanism after mechanism until one is left.
 */
const UNPROVED = 0.25;

type MechanismLabel = Parameters<Metrics['logins']['with']>[0]['mechanism'];

/** One attempt, as far as it is known. */
export interface LoginAttempt {
  readonly stream: Stream;
  /** As metrics name it. */
  readonly mechanism: MechanismLabel;
  /** Whose password is tried, once that is known. */
  account?: Jid | undefined;
  /** When the client sent what is looked at now. */
  since?: number;
  /** When something of the account was looked at first that is proved now. */
  begun?: number | undefined;
  /** The verifier by which SCRAM is spoken, where this server has it. */
  verifier?: ScramVerifier | undefined;
  /** The client can put a new password in the place of one that has expired: that it has is noted, and refused only at the end. */
  renews?: boolean;
  expired?: Refusal | undefined;
  /** Somebody's consent by OAuth, where that is how the client logs in. */
  grant?: Grant;
  /** The client has shown nothing, and only wants to know where it gets something to show (XEP-0493 §3.1). */
  asks?: boolean;
  /** The password that has expired, where the client has told it. */
  expiredPassword?: string | undefined;
}

/**
 * Who may try to log in, and what failed: every way to log in goes through this. There is no limit by account alone,
 * since it would let strangers lock out the owner.
 *
 * Every node has the counts of all: each tells the others what it counts, and nobody waits for that. So a login asks
 * nobody else, goes on while the keyspace is away, and a node that has just come knows what has failed since then.
 */
export class Logins {
  readonly authenticator: Authenticator;
  readonly tickets: Tickets | undefined;
  readonly #options: LoginsOptions;
  readonly #byAddress = new WindowCount();
  readonly #byAccountAndAddress = new WindowCount();
  readonly #byStream = new WeakMap<Stream, number>();
  readonly #notices = new WeakMap<Stream, string>();
  readonly #changedPasswords = new ChangedPasswords();
  readonly #now: () => number;
  readonly #wait: (ms: number) => Promise<void>;

  constructor(options: LoginsOptions) {
    this.#options = options;
    this.authenticator = options.authenticator;
    this.tickets = options.tickets;
    this.#now = options.now ?? (() => performance.now());
    this.#wait = options.wait ?? ((ms) => delay(ms, undefined, { ref: false }));
    options.peers?.on(SUBJECT, (text) => {
      const { place, pair, over } = JSON.parse(text) as Told;
      if (over && pair !== undefined) this.#byAccountAndAddress.delete(pair);
      else this.#count(place, pair);
    });
    this.authenticator.onChange(({ account, change }) => {
      if (change === 'password') this.#changedPasswords.add(account, this.#now());
    });
  }

  /** Limits by address do not apply to it. */
  trusts(address: string): boolean {
    return this.#options.trusts(address);
  }

  /** Failed attempts on this stream. */
  failuresOn(stream: Stream): number {
    return this.#byStream.get(stream) ?? 0;
  }

  /** The client has sent something that is looked at from now on: what it comes to is answered at a time from here. */
  begin(attempt: LoginAttempt): void {
    attempt.since = this.#now();
  }

  /**
   * Stands in front of every look at a password. Throws a SaslError where this address has failed too often. What is looked
   * at may yet have to tell the account: it stands in front of that, too, without one.
   */
  admit(attempt: LoginAttempt, account?: Jid): void {
    attempt.account = account;
    attempt.begun ??= this.#now();
    const { stream } = attempt;
    const address = stream.transport.remoteAddress;
    if (this.#options.trusts(address)) return;
    const limits = this.#options.config().limits.logins;
    const now = this.#now();
    attempt.since ??= now;
    const place = network(address);
    if (this.#byAddress.of(place, now) >= limits.failuresPerAddress) {
      stream.host.onLimit(stream, 'login-failures-per-address');
    } else if (this.#failedAt(account, place, now) >= limits.failuresPerAccountAndAddress) {
      stream.host.onLimit(stream, 'login-failures-per-account-and-address');
    } else {
      return;
    }
    // Known and unknown, right and wrong: all are told the same.
    throw new SaslError('temporary-auth-failure', 'Too many logins failed from this address: try again later.');
  }

  #failedAt(account: Jid | undefined, place: string, now: number): number {
    return account === undefined ? 0 : this.#byAccountAndAddress.of(both(account, place), now);
  }

  /** Looks at a password. Throws a SaslError where it does not let anybody in. */
  async verify(attempt: LoginAttempt, account: Jid, password: string): Promise<void> {
    this.admit(attempt, account);
    const verdict = await this.authenticator.verifyPassword(account, password);
    if (!verdict.accepted) {
      this.#refuse(attempt, verdict);
      attempt.expiredPassword = password;
      return;
    }
    if (verdict.notice !== undefined) this.#notices.set(attempt.stream, verdict.notice);
  }

  /** The proof was right: the last question. Throws a SaslError where the account may not log in. */
  async permit(attempt: LoginAttempt, account: Jid): Promise<void> {
    const { stream } = attempt;
    const refusal = await this.authenticator.refusal(account);
    if (refusal !== undefined) return this.#refuse(attempt, refusal);
    if (this.#notices.has(stream)) return;
    const notice = await this.authenticator.notice?.(account);
    if (notice !== undefined) this.#notices.set(stream, notice);
  }

  /** `credentials-expired` is told to those alone who have given the right password, as the authenticators promise. */
  #refuse(attempt: LoginAttempt, refusal: Refusal): void {
    const { condition, text } = refusal;
    if (condition !== 'credentials-expired' || !attempt.renews) throw new SaslError(condition, text);
    attempt.expired = refusal;
  }

  /** What is to be told, once, to the person who has logged in on this stream. */
  takeNotice(stream: Stream): string | undefined {
    const notice = this.#notices.get(stream);
    this.#notices.delete(stream);
    return notice;
  }

  /**
   * The stream is this account's from now on, and ends with what ends those. Throws a SaslError where the password was changed
   * after the login began: streams that were the account's then have ended, and this one may be by the former password.
   */
  succeeded(attempt: LoginAttempt, identity: Jid): void {
    const { stream, mechanism, begun } = attempt;
    if (begun !== undefined && this.#changedPasswords.isChangedSince(identity, begun)) {
      throw new SaslError('temporary-auth-failure', 'The password was changed meanwhile.');
    }
    const address = stream.transport.remoteAddress;
    this.#byStream.delete(stream);
    this.#forgive(network(address), identity);
    this.#options.metrics.logins.with({ mechanism, outcome: 'success' }).increment();
    this.#options.log.debug('login.succeeded', { account: identity.toString(), address, mechanism });
  }

  /** What the client is told of an error; whatever is no SaslError is none of its business. */
  reasonOf(error: unknown, stream: Stream): SaslError {
    if (error instanceof SaslError) return error;
    if (error instanceof StreamError) throw error;
    const expected = [KeyspaceError, AccountsBusy, AccountsAway].some((kind) => error instanceof kind);
    if (!expected) stream.host.onFault(error, stream);
    return new SaslError('temporary-auth-failure');
  }

  /**
   * Counts a failure and resolves when it may be answered: guessing takes longer each time. `last` where the stream
   * has to end after the answer (RFC 6120 §6.4.5).
   */
  async failed(attempt: LoginAttempt, { condition }: SaslError): Promise<{ last: boolean }> {
    const { stream, mechanism, account } = attempt;
    const address = stream.transport.remoteAddress;
    const limits = this.#options.config().limits.logins;
    const isGuess = condition === 'not-authorized' && !attempt.asks;
    const onStream = this.failuresOn(stream) + (isGuess ? 1 : UNPROVED);
    this.#byStream.set(stream, onStream);
    // a question is answered by a refusal, and is none (XEP-0493 §3.1)
    this.#options.metrics.logins.with({ mechanism, outcome: attempt.asks ? 'aborted' : condition }).increment();
    if (!attempt.asks)
      this.#options.log.flood('login.failed', { address, mechanism, condition, account: account?.toString() });
    if (isGuess) await this.#slowDown(attempt, address, onStream);
    const last = onStream >= limits.failuresPerStream;
    if (last && !stream.closed) stream.host.onLimit(stream, 'login-failures-per-stream');
    return { last };
  }

  /** A wrong proof. How long it took to find out is not to be seen: the time is that since the client sent it. */
  #slowDown({ account, since }: LoginAttempt, address: string, onStream: number): Promise<void> | undefined {
    const { delaySeconds, maxDelaySeconds } = this.#options.config().limits.logins;
    let failures = onStream;
    const now = this.#now();
    if (!this.#options.trusts(address)) {
      const place = network(address);
      const pair = account && both(account, place);
      failures = Math.max(failures, this.#count(place, pair));
      this.#tell({ place, pair });
    }
    const seconds = Math.min(delaySeconds * 2 ** Math.floor(failures - 1), maxDelaySeconds);
    const left = seconds * 1000 - (now - (since ?? now));
    return left > 0 ? this.#wait(left) : undefined;
  }

  /** Gives how often this address has failed at this account. */
  #count(place: string, pair: string | undefined): number {
    const windowMs = this.#options.config().limits.logins.windowSeconds * 1000;
    const now = this.#now();
    this.#byAddress.add(place, windowMs, now);
    return pair === undefined ? 0 : this.#byAccountAndAddress.add(pair, windowMs, now);
  }

  /** The owner has come, so that nothing from there was guessing. */
  #forgive(place: string, account: Jid): void {
    const pair = both(account, place);
    if (this.#byAccountAndAddress.of(pair, this.#now()) === 0) return;
    this.#byAccountAndAddress.delete(pair);
    this.#tell({ place, pair, over: true });
  }

  /** A node that does not hear it counts less than the others, and nothing else. */
  #tell(told: Told): void {
    this.#options.peers?.tell(SUBJECT, JSON.stringify(told))?.catch(() => undefined);
  }
}

const SUBJECT = 'login-failure';

/** What nodes tell each other of a wrong proof, or that there was a right one. */
interface Told {
  readonly place: string;
  readonly pair: string | undefined;
  readonly over?: true;
}

const both = (account: Jid, place: string) => `${place} ${account.bareText}`;
