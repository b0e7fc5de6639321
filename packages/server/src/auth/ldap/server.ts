import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { BindRequest, ExtendedRequest, type Message } from 'ldapts';
import { DialError, dial, encrypt } from '../../net/dial.ts';
import { type Answer, LdapConnection } from './connection.ts';
import { type Deadline, DirectoryAway } from './directory.ts';
import { dialWords, serviceBindWords, startTlsWords } from './failure-words.ts';
import type { DirectorySettings } from './settings.ts';
import { Slots } from './slots.ts';

const START_TLS = '1.3.6.1.4.1.1466.20037'; // RFC 4511 §4.14
/** Firewalls and servers drop connections on which nothing is said; one that was idle for so long is not used again. */
const LONGEST_IDLE = 60_000;

/** A connection that somebody has for a while, bound as the account that Parley has. */
export interface Lease {
  /** Asks within the time that a server has for an answer, and before the deadline. */
  ask(request: Message, most?: number): Promise<Answer>;
  /** It was used before: the server may have closed it by now. */
  readonly reused: boolean;
  /** Gives it back; `spoilt` where nobody else is to use it. */
  release(spoilt?: boolean): void;
}

interface Idle {
  readonly connection: LdapConnection;
  readonly since: number;
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
  #idle: Idle[] = [];

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
    const signal = within(deadline, this.#settings.connectTimeoutSeconds);
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
    await this.#slots.take(within(deadline));
    try {
      const idle = this.#takeIdle();
      const connection = idle ?? (await this.#bound(deadline));
      let released = false;
      return {
        reused: idle !== undefined,
        ask: (request, most) => connection.ask(request, within(deadline, this.#settings.timeoutSeconds), most),
        release: (spoilt = false) => {
          if (released) return;
          released = true;
          if (spoilt) connection.destroy();
          else if (connection.usable) this.#idle.push({ connection, since: performance.now() });
          this.#slots.giveBack();
        },
      };
    } catch (error) {
      this.#slots.giveBack();
      throw error;
    }
  }

  /** Tries a password on a connection of its own, where `next` may be asked as that person. */
  async bindAs(deadline: Deadline, bind: BindRequest, next?: Message): Promise<{ bound: Answer; next?: Answer }> {
    await this.#passwordSlots.take(within(deadline));
    try {
      const connection = await this.connect(deadline);
      try {
        const bound = await connection.ask(bind, within(deadline, this.#settings.timeoutSeconds));
        if (bound.code !== 0 || next === undefined) return { bound };
        return { bound, next: await connection.ask(next, within(deadline, this.#settings.timeoutSeconds)) };
      } finally {
        connection.close();
      }
    } finally {
      this.#passwordSlots.giveBack();
    }
  }

  /** The connections that nobody uses are no good any more. */
  dropIdle(): void {
    for (const { connection } of this.#idle) connection.close();
    this.#idle = [];
  }

  close(): void {
    this.dropIdle();
    for (const connection of this.#open) connection.close();
  }

  #takeIdle(): LdapConnection | undefined {
    const oldest = performance.now() - LONGEST_IDLE;
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.since >= oldest && idle.connection.usable) return idle.connection;
      idle.connection.close();
    }
    return undefined;
  }

  async #bound(deadline: Deadline): Promise<LdapConnection> {
    const connection = await this.connect(deadline);
    const { dn, password } = this.#settings.bind;
    const bind = new BindRequest({ messageId: 0, dn, password: password ?? '' });
    try {
      const { code, diagnostic } = await connection.ask(bind, within(deadline, this.#settings.connectTimeoutSeconds));
      if (code === 0) return connection;
      throw new DirectoryAway(serviceBindWords(dn, code, diagnostic), { code });
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }
}

/** Aborts at the deadline, or after so many seconds. */
export function within(deadline: Deadline, seconds = Number.POSITIVE_INFINITY): AbortSignal {
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
