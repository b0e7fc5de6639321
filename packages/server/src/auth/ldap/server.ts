import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { type Client, ResultCodeError } from 'ldapts';
import { DialError, dial, encrypt } from '../../net/dial.ts';
import { LdapConnection } from './connection.ts';
import { DirectoryAway, DirectoryRefused } from './directory.ts';
import type { DirectorySettings } from './settings.ts';
import { requestStartTls } from './start-tls.ts';

/** One server of a directory: how connections to it are made. */
export class LdapServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly #encryptedAtOnce: boolean;
  readonly #settings: DirectorySettings;
  readonly #trust: SecureContext;

  constructor(url: string, settings: DirectorySettings, trust: SecureContext) {
    const { protocol, hostname, port } = new URL(url);
    this.url = url;
    this.#encryptedAtOnce = protocol === 'ldaps:';
    this.host = hostname.replace(/^\[|\]$/g, '');
    this.port = port === '' ? (this.#encryptedAtOnce ? 636 : 389) : Number(port);
    this.#settings = settings;
    this.#trust = trust;
  }

  /** A connection on which nothing was said yet: encrypted, to a server that has proved who it is. */
  async open(signal: AbortSignal): Promise<Socket> {
    const socket = await dial(this.host, this.port, signal);
    if (this.#encryptedAtOnce) return encrypt(socket, this.host, this.#trust, signal);
    if (!this.#settings.startTls) return socket;
    await requestStartTls(socket, signal);
    return encrypt(socket, this.host, this.#trust, signal);
  }

  /** A connection that belongs to nobody yet. */
  async connect(signal: AbortSignal): Promise<LdapConnection> {
    try {
      return new LdapConnection(await this.open(signal));
    } catch (error) {
      throw away(error);
    }
  }

  /** A connection bound as the account that Parley has. */
  async service(signal: AbortSignal): Promise<LdapConnection> {
    const connection = await this.connect(signal);
    const { dn, password = '' } = this.#settings.bind;
    try {
      await connection.run(signal, (client: Client) => client.bind(dn, password));
      return connection;
    } catch (error) {
      connection.destroy();
      throw away(error);
    }
  }
}

/** What a server says of itself where it is busy, unavailable, or wants no more to do with this connection. */
const NOT_NOW = new Set([51, 52]);

/** Errors of the way there, and a server that does not want now, as DirectoryAway; all else as it is. */
export function away(error: unknown): unknown {
  if (error instanceof DialError) return new DirectoryAway(error.message, { cause: error });
  if (error instanceof ResultCodeError && NOT_NOW.has(error.code)) {
    return new DirectoryAway(diagnostic(error), { cause: error });
  }
  return error;
}

/** A server's own words, without what ldapts puts behind them. */
export const diagnostic = (error: ResultCodeError): string => error.message.replace(/\s*Code: 0x[0-9a-f]+$/, '');

/** An answer that is none of the expected ones, as DirectoryRefused. */
export const refusal = (error: unknown): unknown =>
  error instanceof ResultCodeError ? new DirectoryRefused(error.code, diagnostic(error)) : error;
