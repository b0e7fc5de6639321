import type { LimitName } from '@parley/metrics/catalogue';
import type { Configuration } from '@parley/server/config/schema';
import { HARMLESS_LIMITS } from '@parley/server/log-events/limit-refusals';
import type { Element } from '@parley/xmpp/element';
import { describe, expect, it, vi } from 'vitest';
import { Chat } from '../support/chat.ts';
import type { TestClient } from '../support/client.ts';
import { features } from '../support/login.ts';
import type { MemoryTransport } from '../support/memory-transport.ts';
import { type Partly, type ServerOptions, startServer, type TestServer } from '../support/server.ts';

/** The address of whoever exceeds limits over connections in memory. */
export const HOSTILE = '198.51.100.66';

/** How a limit is exceeded. */
export interface Limit extends Omit<ServerOptions, 'config'> {
  readonly config?: Partly<Configuration>;
  /** Exceeds it, and gives what the one who did so sees of it. */
  exceed(scene: Scene): Promise<unknown>;
  readonly sees: unknown;
  /** The address in the log, where it is not that of a connection in memory; undefined where there is none. */
  readonly address?: string | undefined;
}

export type LimitTable = Partial<Record<LimitName, Limit>>;

/** A node with friends who talk, and a place for somebody hostile. */
export class Scene {
  readonly server: TestServer;
  readonly chat: Chat;

  constructor(server: TestServer, chat: Chat) {
    this.server = server;
    this.chat = chat;
  }

  /** Somebody hostile has opened a stream, but not logged in. */
  async stranger(): Promise<TestClient> {
    const client = this.server.connect(fromHostile);
    client.open('localhost');
    await features(client);
    return client;
  }

  /** Somebody hostile has an account and has bound a resource. */
  user(jid = 'tybalt@localhost/square'): Promise<TestClient> {
    return this.server.client(jid, fromHostile);
  }

  /** How often the limit was counted. */
  exceeded(limit: LimitName): number {
    return this.server.node.registry.metrics.limitsExceeded.with({ limit }).value;
  }
}

/** A connection from there. */
export const fromHostile = (transport: MemoryTransport) => {
  transport.remoteAddress = HOSTILE;
};

/** The condition of the stream error that comes, once the connection is closed. */
export async function streamError(client: TestClient): Promise<string | undefined> {
  const error = await client.take(({ name }) => name === 'error');
  await client.closed;
  return error.firstChild?.name;
}

/** The conditions of a stanza error, the more precise one behind it. */
export const stanzaError = (stanza: Element): string =>
  (stanza.child('error')?.elements ?? [])
    .filter(({ name }) => name !== 'text')
    .map(({ name }) => name)
    .join(' ');

/** Two friends talk before, while and after each limit is exceeded; it is counted, logged and audited, and they feel nothing. */
export function describeLimits(title: string, table: LimitTable): void {
  const limits = Object.entries(table) as [LimitName, Limit][];
  describe(title, () => {
    it.each(limits)('%s', async (name, limit) => {
      const server = await startServer(limit);
      const chat = new Chat(
        await server.online('romeo@localhost/orchard'),
        await server.online('juliet@localhost/hall'),
      );
      const scene = new Scene(server, chat);
      await chat.goesOn();
      expect(scene.exceeded(name)).toBe(0);

      const sees = await limit.exceed(scene);
      await chat.goesOn();
      await chat.end();

      expect(sees).toEqual(limit.sees);
      expect(scene.exceeded(name)).toBeGreaterThan(0);
      const line = await vi.waitFor(() => logged(server, name));
      expect(line).toMatchObject({ level: 'warn' });
      expect(line.address).toBe('address' in limit ? limit.address : HOSTILE);
      const entry = server.audit.find(({ event, reason }) => event === 'limit.exceeded' && reason === name);
      if (HARMLESS_LIMITS.has(name)) expect(entry).toBeUndefined();
      else {
        const { from, component, remote, account } = line;
        const actor = from ?? component ?? remote ?? account ?? '';
        expect(entry).toMatchObject({ outcome: 'failure', actor, address: line.address ?? '' });
        // what comes by the socket of administrators has no address
        if (line.address !== undefined) expect(`${entry?.actor}${entry?.address}`, 'it says of nobody').not.toBe('');
      }
      expect(server.node.registry.metrics.errors.value).toBe(0);
    });
  });
}

function logged(server: TestServer, limit: LimitName) {
  const line = server.log.find((each) => each.event === 'limit.exceeded' && each.limit === limit);
  if (line === undefined) throw new Error(`No line of the log tells of ${limit}.`);
  return line;
}
