import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { BindRequest, ExtendedRequest, type Message } from 'ldapts';
import { DialError, dial, encrypt } from '../../../net/dial.ts';
import type { Deadline } from '../directory.ts';
import { DirectoryAway } from '../directory-error.ts';
import type { DirectorySettings } from '../settings.ts';
import { dialWords, serviceBindWords, startTlsWords } from './failure-words.ts';
import { IdleConnections } from './idle-connections.ts';
import { type Answer, LdapConnection } from './ldap-connection.ts';
import { Slots } from './slots.ts';

const START_TLS = '1.3.6.1.4.1.1466.20037'; // RFC 4511 §4.14
/** Firewalls and servers drop connections on which nothing is said; one that was idle for so long is closed before. */
const LONGEST_IDLE = 60_000;
/** Passwords come in crowds or seldom. */
const LONGEST_IDLE_PASSWORD = 5000;

/** A connection that somebody has for a while, bound as the account that Parley has. */
export interface Lease {
  /** Asks within the time that a server has for an answer, and before the deadline. */
  ask(request: Message, most?: number): Promise<Answer>;
  /** It was used before: the server may have closed it by now. */
  readonly reused: boolean;
  /** Gives it back; `spoilt` where nobody else is to use it. */
  release(spoilt?: boolean): void;
}

/** One server of a directory, and the connections to it. */
export class LdapServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly encryptedAtOnce: boolean;
  readonly #settings: DirectorySettings;
  readonly #trust: SecureContext;
  readonly #slots: Slots;
  readonly #passwordSlots: Slots;
  readonly #open = new Set<LdapConnection>();
  readonly #idle = new IdleConnections(LONGEST_IDLE);
  readonly #idlePassword = new IdleConnections(LONGEST_IDLE_PASSWORD);
  /** Nobody asks it any more but those who have begun. */
  #retired = false;

  constructor(url: string, settings: DirectorySettings, trust: SecureContext) {
    const { protocol, hostname, port } = new URL(url);
    this.url = url;
    this.encryptedAtOnce = protocol === 'ldaps:';
    this.host = hostname.replace(/^\[|\]$/g, '');
    this.port = port === '' ? (this.encryptedAtOnce ? 636 : 389) : Number(port);
    this.#settings = settings;
    this.#trust = trust;
    this.#slots = new Slots(settings.connections);
    this.#passwordSlots = new Slots(settings.connections);
  }

  /** Connections that stand, be they in use or not. */
  get connections(): number {
    return this.#open.size;
  }

  get waiting(): number {
    return this.#slots.waiting + this.#passwordSlots.waiting;
  }

  /** A connection on which nothing was said yet: encrypted, to a server that has proved who it is. */
  async socket(deadline: Deadline): Promise<Socket> {
    const signal = signalWithin(deadline, this.#settings.connectTimeoutSeconds);
    try {
      const socket = await dial(this.host, this.port, signal);
      if (this.encryptedAtOnce) return await encrypt(socket, this.host, this.#trust, signal);
      if (!this.#settings.startTls) return socket;
      return await encrypt(await startTls(socket, signal), this.host, this.#trust, signal);
    } catch (error) {
      if (!(error instanceof DialError)) throw error;
      const late = error.code === 'ETIMEDOUT';
      throw new DirectoryAway(dialWords(error, this.host, this.port), { cause: error, late });
    }
  }

  /** A connection that belongs to nobody yet. Whoever asks for it closes it. */
  async connect(deadline: Deadline): Promise<LdapConnection> {
    const connection = new LdapConnection(await this.socket(deadline));
    this.#open.add(connection);
    connection.onClose(() => this.#open.delete(connection));
    return connection;
  }

  /** A connection bound as the account that Parley has: one that stands, or another one. */
  async lease(deadline: Deadline): Promise<Lease> {
    await this.#slots.take(signalWithin(deadline));
    try {
      const idle = this.#idle.take();
      const connection = idle ?? (await this.#bound(deadline));
      let released = false;
      return {
        reused: idle !== undefined,
        ask: (request, most) => connection.ask(request, signalWithin(deadline, this.#settings.timeoutSeconds), most),
        release: (spoilt = false) => {
          if (released) return;
          released = true;
          if (spoilt) connection.destroy();
          else this.#keep(this.#idle, connection);
          this.#slots.giveBack();
        },
      };
    } catch (error) {
      this.#slots.giveBack();
      throw error;
    }
  }

  /**
   * Tries a password on a connection that is there for passwords alone, and where `next` may be asked as that person.
   * Every bind begins as nobody, whoever was there before (RFC 4511 §4.2.1).
   */
  async bindAs(deadline: Deadline, bind: BindRequest, next?: Message): Promise<{ bound: Answer; next?: Answer }> {
    await this.#passwordSlots.take(signalWithin(deadline));
    try {
      for (;;) {
        const idle = next === undefined ? this.#idlePassword.take() : undefined;
        const connection = idle ?? (await this.connect(deadline));
        const ask = (request: Message) =>
          connection.ask(request, signalWithin(deadline, this.#settings.timeoutSeconds));
        try {
          const bound = await ask(bind);
          if (next === undefined) {
            this.#keep(this.#idlePassword, connection);
            return { bound };
          }
          const then = bound.code === 0 ? { next: await ask(next) } : {};
          connection.close();
          return { bound, ...then };
        } catch (error) {
          connection.destroy();
          // The server had closed it while nobody used it.
          const stale = idle !== undefined && error instanceof DirectoryAway && !error.late;
          if (!stale) throw error;
          this.#idlePassword.drop();
        }
      }
    } finally {
      this.#passwordSlots.giveBack();
    }
  }

  /** The connections that nobody uses are no good any more. */
  dropIdle(): void {
    this.#idle.drop();
    this.#idlePassword.drop();
  }

  /** What is asked just now is answered, and each connection is closed after that. */
  retire(): void {
    this.#retired = true;
    this.dropIdle();
  }

  #keep(idle: IdleConnections, connection: LdapConnection): void {
    if (this.#retired) connection.close();
    else idle.put(connection);
  }

  close(): void {
    this.dropIdle();
    for (const connection of this.#open) connection.close();
  }

  async #bound(deadline: Deadline): Promise<LdapConnection> {
    const connection = await this.connect(deadline);
    const { dn, password } = this.#settings.bind;
    const bind = new BindRequest({ messageId: 0, dn, password: password ?? '' });
    try {
      const { code, diagnostic } = await connection.ask(
        bind,
        signalWithin(deadline, this.#settings.connectTimeoutSeconds),
      );
      if (code === 0) return connection;
      throw new DirectoryAway(serviceBindWords(dn, code, diagnostic), { code });
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }
}

/** Aborts at the deadline, or after so many seconds. */
export function signalWithin(deadline: Deadline, seconds = Number.POSITIVE_INFINITY): AbortSignal {
  const left = Math.min(deadline - performance.now(), seconds * 1000);
  return AbortSignal.timeout(Math.min(2 ** 31 - 1, Math.max(0, Math.ceil(left))));
}

/** Has the server go over to TLS; the handshake has to follow. */
export async function startTls(socket: Socket, signal: AbortSignal): Promise<Socket> {
  const connection = new LdapConnection(socket);
  const { code, diagnostic } = await connection.ask(new ExtendedRequest({ messageId: 0, oid: START_TLS }), signal);
  if (code === 0) return connection.detach();
  connection.destroy();
  throw new DirectoryAway(startTlsWords(code, diagnostic), { code });
}
