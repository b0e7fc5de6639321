import type { Socket } from 'node:net';
import { Client } from 'ldapts';
import { DirectoryAway } from './directory.ts';

/**
 * One connection to a server, around the traps of ldapts' client: it takes a connection that stands, never makes another
 * one, and is used for one thing at a time; what is not answered in time ends it, and nothing ever waits for an answer
 * that cannot come.
 */
export class LdapConnection {
  readonly #socket: Socket;
  readonly #client: Client;

  /** `socket` is connected, and encrypted where it is to be. */
  constructor(socket: Socket) {
    this.#socket = socket;
    let taken = false;
    const createConnection = () => {
      // The client would connect anew by itself, and be nobody there.
      if (taken) throw new DirectoryAway('The connection was closed.');
      taken = true;
      return socket;
    };
    this.#client = new Client({ url: 'ldap://taken', createConnection: createConnection as never });
  }

  get usable(): boolean {
    return !this.#socket.destroyed && this.#socket.readyState === 'open';
  }

  onClose(listener: () => void): void {
    if (this.#socket.destroyed) listener();
    else this.#socket.once('close', listener);
  }

  /** Has the client do something. When `signal` aborts, the connection is of no use any more: an answer may still come. */
  async run<T>(signal: AbortSignal, act: (client: Client) => Promise<T>): Promise<T> {
    if (!this.usable) throw new DirectoryAway('The connection was closed.');
    const cut = Promise.withResolvers<never>();
    const onClose = () => cut.reject(new DirectoryAway('The server closed the connection.'));
    const onAbort = () => {
      cut.reject(new DirectoryAway('The server did not answer in time.'));
      this.#socket.destroy();
    };
    this.#socket.once('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    try {
      return await Promise.race([cut.promise, act(this.#client)]);
    } finally {
      this.#socket.off('close', onClose);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Takes leave and closes. */
  close(): void {
    if (this.usable) this.#client.unbind().catch(() => {});
    else this.#socket.destroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
