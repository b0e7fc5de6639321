import type { Jid } from '@parley/xmpp/jid';
import type { GssContext, GssPeers, KerberosService } from '@parley/xmpp/sasl/mechanism';
import { SaslError } from '@parley/xmpp/sasl-error';
import { namesMechanism } from '../../config/mechanisms.ts';
import type { Configuration } from '../../config/schema.ts';
import { FileWatch } from '../../file-watch.ts';
import type { Log } from '../../log.ts';
import type { Tickets } from '../../stream/logins.ts';
import { Acceptor, AcceptorUnusable, TokenRefused } from './acceptor.ts';
import { examine, type KeytabVerdict } from './examination.ts';
import { accountOfPrincipal, isXmppService } from './principal.ts';

export interface KerberosOptions {
  readonly config: () => Configuration;
  readonly log: Log;
  /** How often it is tried again where it does not work, in milliseconds. */
  readonly retryMs?: number;
}

const RETRY_MS = 10_000;

/** Logins by Kerberos: whether they are possible, and whose account a principal has. */
export class Kerberos implements Tickets, AsyncDisposable {
  readonly #options: KerberosOptions;
  #watch: FileWatch | undefined;
  #retry: NodeJS.Timeout | undefined;
  #acceptor: Acceptor | undefined;
  #usable = false;
  #told: string | undefined;
  #examination: Promise<void> | undefined;
  #again = false;

  constructor(options: KerberosOptions) {
    this.#options = options;
  }

  get #rules(): Configuration['authentication']['kerberos'] {
    return this.#options.config().authentication.kerberos;
  }

  get usable(): boolean {
    return this.#usable;
  }

  get hostName(): string {
    return this.#rules.hostName;
  }

  /** The one that accepts, for tests that end it. */
  get process(): Acceptor['process'] {
    return this.#acceptor?.process;
  }

  at(domain: string, address: string): KerberosService {
    return { begin: () => this.#begin(address), account: (peers) => this.#account(peers, domain, address) };
  }

  /** The configuration, or what it names, may be another one: finds out whether tickets can be accepted, and says so. */
  examine(): Promise<void> {
    this.#again = true;
    this.#examination ??= this.#examineAll().finally(() => {
      this.#examination = undefined;
    });
    return this.#examination;
  }

  /** What changes while it looks is looked at next. */
  async #examineAll(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#examine();
    }
  }

  async #examine(): Promise<void> {
    const { library, keytab } = this.#rules;
    const { library: before, keytab: keytabBefore } = this.#acceptor?.options ?? {};
    const named = namesMechanism(this.#options.config(), 'GSSAPI') && keytab !== undefined;
    if (!named || before !== library || keytabBefore !== keytab) this.#letGo();
    if (!named) return;
    const onEnded = (reason: string) => this.#options.log.error('kerberos.ended', { reason });
    if (this.#acceptor === undefined) this.#lookAfter(keytab);
    this.#acceptor ??= new Acceptor({ library, keytab, onEnded });
    const acceptor = this.#acceptor;
    const verdict = await examine(acceptor, this.#rules.hostName);
    if (this.#acceptor === acceptor) this.#tell(verdict);
  }

  /** Examines it anew when the keytab is another one, and again and again while it does not work. */
  #lookAfter(keytab: string): void {
    const { log, retryMs = RETRY_MS } = this.#options;
    const onError = (error: Error) => log.error('kerberos.unusable', { reason: error.message });
    this.#watch = new FileWatch(
      () => [keytab],
      () => this.examine(),
      onError,
    ).start();
    this.#retry = setInterval(() => this.#usable || void this.examine(), retryMs).unref();
  }

  #tell({ problem, keys }: KeytabVerdict): void {
    this.#usable = problem === undefined;
    const text = problem ?? keys.join(', ');
    if (text === this.#told) return;
    this.#told = text;
    if (problem === undefined) this.#options.log.info('kerberos.ready', { keys });
    else this.#options.log.error('kerberos.unusable', { reason: problem });
  }

  #begin(address: string): GssContext {
    if (this.#acceptor === undefined) throw new SaslError('temporary-auth-failure');
    const context = this.#acceptor.begin();
    const told = async <T>(answer: Promise<T>): Promise<T> => {
      try {
        return await answer;
      } catch (error) {
        throw this.#reasonOf(error, address);
      }
    };
    return {
      accept: (token) => told(context.accept(token)),
      wrap: (data) => told(context.wrap(data)),
      unwrap: (data) => told(context.unwrap(data)),
      end: () => context.end(),
    };
  }

  /** What the client is told; why, is for the log: it may tell of the machine. */
  #reasonOf(error: unknown, address: string): unknown {
    if (error instanceof TokenRefused) return this.#refused(error.message, address);
    if (!(error instanceof AcceptorUnusable)) return error;
    this.#options.log.flood('kerberos.failed', { address, reason: error.message });
    if (this.#usable) void this.examine();
    return new SaslError('temporary-auth-failure');
  }

  #account({ initiator, target, mutual }: GssPeers, domain: string, address: string): Jid {
    if (!isXmppService(target, domain)) {
      throw this.#refused(`the ticket is for ${target}, and not for XMPP in this domain`, address);
    }
    if (!mutual) throw this.#refused('the client does not ask for a proof of the server', address);
    const account = accountOfPrincipal(initiator, domain, this.#rules);
    if (account === undefined) throw this.#refused(`${initiator} has no account in ${domain}`, address);
    return account;
  }

  #refused(reason: string, address: string): SaslError {
    this.#options.log.flood('kerberos.refused', { address, reason });
    return new SaslError('not-authorized');
  }

  #letGo(): void {
    this.#watch?.[Symbol.dispose]();
    clearInterval(this.#retry);
    this.#acceptor?.[Symbol.dispose]();
    this.#acceptor = undefined;
    this.#usable = false;
    this.#told = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#letGo();
    await this.#examination;
  }
}

/** One that is ready when the node is, and goes with it. */
export function kerberosOf(
  options: KerberosOptions,
  starts: (() => Promise<void>)[],
  stops: (() => void | Promise<void>)[],
): Kerberos {
  const kerberos = new Kerberos(options);
  starts.push(() => kerberos.examine());
  stops.push(() => kerberos[Symbol.asyncDispose]());
  return kerberos;
}
