import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Configuration } from '@parley/server/config/schema';
import { onTestFinished } from 'vitest';
import type { Slapd } from '../services/slapd.ts';
import { PEOPLE, SERVICE } from '../services/slapd-files.ts';
import type { TestClient } from '../support/client.ts';
import { plain } from '../support/login.ts';
import { type Partly, startServer, type TestServer } from '../support/server.ts';

export interface DirectoryServerOptions {
  /** More of the entry under `directories`. */
  readonly directory?: object;
  /** More of the configuration. */
  readonly config?: Partly<Configuration>;
  readonly logLevel?: 'debug' | 'info';
  /** Of a server that ran before. */
  readonly keyspace?: Keyspace;
}

/** A server whose accounts are the people of this slapd. */
export function startDirectoryServer(slapd: Slapd, options: DirectoryServerOptions = {}): Promise<TestServer> {
  const { directory = {}, config = {}, logLevel, keyspace } = options;
  const entry = {
    name: 'corp',
    servers: [slapd.url],
    authorities: slapd.authorities,
    bind: { dn: SERVICE.dn, password: SERVICE.password },
    people: { base: PEOPLE },
    ...directory,
  };
  return startServer({
    ...(logLevel && { logLevel }),
    ...(keyspace && { keyspace }),
    config: {
      ...config,
      authentication: { accounts: ['corp'], ...config.authentication },
      limits: {
        logins: { delaySeconds: 0, failuresPerAddress: 1000, failuresPerAccountAndAddress: 1000 },
        process: { eventLoopDelayMilliseconds: 60_000 }, // the machine may have much else to do
      },
      directories: [entry],
    } as Partly<Configuration>,
  });
}

/** A client that has opened a stream, and nothing else. */
export function stranger(server: TestServer, prepare?: Parameters<TestServer['connect']>[0]): TestClient {
  const client = server.connect(prepare);
  client.open('localhost');
  onTestFinished(() => client.close().catch(() => {}));
  return client;
}

/** What a login by PLAIN comes to, with the words for the person. */
export async function login(server: TestServer, username: string, password: string): Promise<[string, string]> {
  const answer = await plain(stranger(server), username, password);
  const condition = answer.name === 'failure' ? (answer.firstChild?.name ?? '') : answer.name;
  return [condition, answer.childText('text') ?? ''];
}
