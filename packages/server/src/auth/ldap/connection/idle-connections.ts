import type { LdapConnection } from './ldap-connection.ts';

/** Connections that nobody uses just now, for those who come next; closed when nobody has come for so long. */
export class IdleConnections {
  readonly #longestMs: number;
  readonly #waiting = new Map<LdapConnection, NodeJS.Timeout>();

  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  put(connection: LdapConnection): void {
    if (!connection.usable) return;
    const close = () => {
      this.#waiting.delete(connection);
      connection.close();
    };
    this.#waiting.set(connection, setTimeout(close, this.#longestMs).unref());
  }

  /** The one that was used last, so that those that are not needed get old. */
  take(): LdapConnection | undefined {
    for (const connection of [...this.#waiting.keys()].reverse()) {
      clearTimeout(this.#waiting.get(connection));
      this.#waiting.delete(connection);
      if (connection.usable) return connection;
      connection.destroy();
    }
    return undefined;
  }

  /** They are no good any more. */
  drop(): void {
    for (let connection = this.take(); connection !== undefined; connection = this.take()) connection.close();
  }
}
