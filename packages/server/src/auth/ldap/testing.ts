/** Directories for tests. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { Metrics } from '@parley/metrics/registry';
import { onTestFinished, vi } from 'vitest';
import type { Slapd } from '../../../../../tests/services/slapd.ts';
import { PEOPLE, SERVICE } from '../../../../../tests/services/slapd-files.ts';
import type { Configuration } from '../../config/schema.ts';
import { configurationSchema } from '../../config/schema.ts';
import { Log } from '../../log.ts';
import { directorySettings } from './directory-settings.ts';
import { LdapDirectory } from './ldap-directory.ts';
import type { DirectorySettings } from './settings.ts';

/** For tests that are not about a directory that is slow: a busy machine makes everything so. */
export const PATIENT = { connectTimeoutSeconds: 60, timeoutSeconds: 60, answerSeconds: 60 };

/** One `directories` entry of a configuration that fits a test's slapd. */
export const directoryEntry = (slapd: Slapd, more: object = {}): object => ({
  ...PATIENT,
  name: 'corp',
  servers: [slapd.url],
  authorities: slapd.authorities,
  bind: { dn: SERVICE.dn, password: SERVICE.password },
  people: { base: PEOPLE },
  ...more,
});

/** The settings of the first of these directories, with the accounts of the domain localhost in it. */
export function settingsFor(entry: object, domains: unknown = ['localhost']): DirectorySettings {
  const config: Configuration = configurationSchema().parse({
    domains,
    authentication: { accounts: ['corp'] },
    directories: [entry],
  });
  const [settings] = directorySettings(config);
  if (settings === undefined) throw new Error('There is no directory.');
  return settings;
}

/** A directory that is closed with the test. */
export function directoryOf(
  slapd: Slapd,
  more: object = {},
  log = Log.create({ level: 'silent' }),
  metrics?: Metrics,
): LdapDirectory {
  return closedWithTest(new LdapDirectory(settingsFor(directoryEntry(slapd, more)), log, metrics));
}

export function closedWithTest(directory: LdapDirectory): LdapDirectory {
  onTestFinished(() => directory.close());
  return directory;
}

type Line = Record<string, unknown>;

/** A log whose lines can be waited for. */
export class HeardLog {
  readonly lines: Line[] = [];
  readonly log = Log.create({ output: { write: (line) => void this.lines.push(JSON.parse(line)) } });

  of(event: string): Line[] {
    return this.lines.filter((line) => line.event === event);
  }

  /** The line that tells of an event for so many times. */
  hear(event: string, times = 1): Promise<Line> {
    return vi.waitFor(
      () => {
        const line = this.of(event)[times - 1];
        if (line === undefined) throw new Error(`The log does not tell of ${event}.`);
        return line;
      },
      { interval: 20 },
    );
  }
}

/** A server that takes connections and does what `talk` does with them: nothing at all where it is left out. */
export async function rudeServer(talk: (socket: Socket) => void = () => {}): Promise<{ url: string; taken: Socket[] }> {
  const taken: Socket[] = [];
  const server = createServer((socket) => {
    taken.push(socket);
    socket.on('error', () => {});
    talk(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of taken) socket.destroy();
    server.close();
  });
  return { url: `ldap://127.0.0.1:${(server.address() as AddressInfo).port}`, taken };
}
