import { PresenceFilter, SearchRequest } from 'ldapts';
import type { Log } from '../../log.ts';
import { trustIn } from '../../net/dial.ts';
import { LdapServer } from './connection/ldap-server.ts';
import { ServerHealth } from './connection/server-health.ts';
import type { Deadline } from './directory.ts';
import { DirectoryAway } from './directory-error.ts';
import type { DirectorySettings } from './settings.ts';

interface Member {
  readonly server: LdapServer;
  readonly health: ServerHealth;
}

/** The servers of one directory: the first that works is asked, and the next one where it fails. */
export class DirectoryServers {
  readonly #members: readonly Member[];
  readonly #log: Log;
  /** What the server that failed last said. */
  #reason = 'No server was asked yet.';

  constructor(settings: DirectorySettings, log: Log) {
    this.#log = log;
    const trust = trustIn(settings.authorityCertificates);
    const probeMs = 1000 * (settings.connectTimeoutSeconds + settings.timeoutSeconds);
    this.#members = settings.servers.map((url) => {
      const server = new LdapServer(url, settings, trust);
      const health = new ServerHealth({
        probe: () => probe(server, performance.now() + probeMs),
        onAway: (reason) => this.#onAway(server, reason),
        onBack: (ms) => log.info('directory.server.back', { server: url, awaySeconds: Math.round(ms / 1000) }),
      });
      return { server, health };
    });
  }

  get connections(): number {
    return this.#members.reduce((sum, { server }) => sum + server.connections, 0);
  }

  get waiting(): number {
    return this.#members.reduce((sum, { server }) => sum + server.waiting, 0);
  }

  get away(): number {
    return this.#members.filter(({ health }) => health.isAway).length;
  }

  /**
   * Has a server do something before the deadline: another one where it throws DirectoryAway, unless `once` tells that
   * it must not be done twice. Throws DirectoryAway where all have failed, at once where none is thought to work.
   */
  async ask<T>(deadline: Deadline, act: (server: LdapServer) => Promise<T>, once = false): Promise<T> {
    let failure: DirectoryAway | undefined;
    for (const { server, health } of this.#members) {
      if (health.isAway) continue;
      if (failure !== undefined && (once || performance.now() >= deadline)) break;
      const since = performance.now();
      try {
        const result = await act(server);
        health.answered();
        return result;
      } catch (error) {
        if (!(error instanceof DirectoryAway)) {
          health.answered();
          throw error;
        }
        failure = error;
        server.dropIdle(); // they may be no better
        health.failed(error, since);
      }
    }
    throw failure ?? new DirectoryAway(`No server works. ${this.#reason}`);
  }

  /** Others are asked from now on. */
  retire(): void {
    for (const { server, health } of this.#members) {
      health.close();
      server.retire();
    }
  }

  close(): void {
    for (const { server, health } of this.#members) {
      health.close();
      server.close();
    }
  }

  #onAway(server: LdapServer, reason: DirectoryAway): void {
    this.#reason = reason.message;
    const others = this.#members.length - this.away;
    const effect =
      others > 0
        ? 'Other servers of the directory are asked.'
        : 'Nobody can log in by this directory until a server works again; who is logged in stays.';
    this.#log.warn('directory.server.away', { server: server.url, message: `${reason.message}. ${effect}` });
  }
}

/** A server works that lets Parley in and tells about itself. */
async function probe(server: LdapServer, deadline: Deadline): Promise<void> {
  const lease = await server.lease(deadline);
  const filter = new PresenceFilter({ attribute: 'objectClass' });
  try {
    await lease.ask(new SearchRequest({ messageId: 0, baseDN: '', scope: 'base', filter, attributes: ['1.1'] }));
  } finally {
    lease.release(true);
  }
}
