import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { internalAccounts } from '@parley/server/accounts';
import type { Authenticator } from '@parley/server/auth/authenticator';
import { type Configuration, configurationSchema } from '@parley/server/config/schema';
import { Log } from '@parley/server/log';
import { type Module, moduleSettings } from '@parley/server/module';
import { modules as allModules } from '@parley/server/modules';
import { Node } from '@parley/server/node';
import { Jid } from '@parley/xmpp/jid';
import { onTestFinished } from 'vitest';
import { TestClient } from './client.ts';
import { MemoryTransport } from './memory-transport.ts';
import { emptyKeyspace } from './topology.ts';
import { memoryWire } from './wires.ts';

/** The part of a configuration that a test cares for, at any depth. */
export type Partly<T> = {
  [Key in keyof T]?: T[Key] extends readonly unknown[] ? unknown : T[Key] extends object ? Partly<T[Key]> : T[Key];
};

export interface ServerOptions {
  config?: Partly<Configuration>;
  modules?: readonly Module[];
  /** A keyspace or its URL; an empty one of the topology that is tested when left out. */
  keyspace?: string | Keyspace;
  /** File descriptors that the node may believe to have. */
  descriptorLimit?: number;
  /** From which level on it logs; `info` when left out. */
  logLevel?: 'trace' | 'debug' | 'info';
}

export interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** A node in this process and what a test does with it. Ends with the test. */
export class TestServer {
  readonly node: Node;
  readonly keyspace: Keyspace;
  /** What it logged, from `info` on. */
  readonly log: LogLine[];

  constructor(node: Node, keyspace: Keyspace, log: LogLine[]) {
    this.node = node;
    this.keyspace = keyspace;
    this.log = log;
  }

  get accounts(): Authenticator {
    return this.node.accounts;
  }

  /** Makes the account, where it is not there yet, with the password "secret". */
  async account(jid: string): Promise<void> {
    const bare = Jid.parse(jid).bare;
    if (!(await this.accounts.exists(bare))) await this.accounts.create?.(bare, 'secret');
  }

  /** A connection in memory on which nothing was sent yet; `prepare` makes it another than usual. */
  connect(prepare?: (transport: MemoryTransport) => void): TestClient {
    const transport = new MemoryTransport();
    prepare?.(transport);
    this.node.attach(transport);
    return new TestClient(memoryWire(transport));
  }

  /** A client whose account exists, logged in, with nothing bound yet. */
  async authenticated(jid: string, prepare?: (transport: MemoryTransport) => void): Promise<TestClient> {
    await this.account(jid);
    const { bare, domain } = Jid.parse(jid);
    const transport = new MemoryTransport();
    prepare?.(transport);
    const stream = this.node.attach(transport);
    const client = new TestClient(memoryWire(transport));
    stream.authenticated(bare, 'TEST');
    client.open(domain);
    await client.take((element) => element.name === 'features');
    return client;
  }

  /** A client whose account exists, logged in and bound with this full JID; it has sent no presence. */
  async client(jid: string, prepare?: (transport: MemoryTransport) => void): Promise<TestClient> {
    const client = await this.authenticated(jid, prepare);
    const full = Jid.parse(jid);
    const resource = full.resource === '' ? '' : `<resource>${full.resource}</resource>`;
    const answer = await client.request('set', `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>${resource}</bind>`);
    const bound = answer.firstChild?.childText('jid');
    if (bound === undefined) throw new Error(`Not bound: ${answer}`);
    client.jid = bound;
    return client;
  }

  /** A client that has also sent presence and got everything that this brings about. */
  async online(jid: string, presence = '<presence/>'): Promise<TestClient> {
    const client = await this.client(jid);
    client.send(presence);
    await client.sync();
    return client;
  }
}

/** Starts a node on no ports, with an empty keyspace of the topology that is tested unless told otherwise. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const modules = options.modules ?? allModules;
  const config = configurationSchema(moduleSettings(modules)).parse({
    ...options.config,
    domains: options.config?.domains ?? ['localhost'],
    listen: options.config?.listen ?? { c2s: [], c2sTls: [], http: [] },
    keyspace: { url: 'embedded::memory:', ...options.config?.keyspace },
    authentication: { iterations: 4096, ...options.config?.authentication },
    admin: { socket: join(tmpdir(), 'parley-tests', 'parley.sock') }, // its folder keeps the certificate
    cluster: { secret: 'a secret that only the tests know of', ...options.config?.cluster },
  });
  const given = options.keyspace ?? (await emptyKeyspace());
  const keyspace = typeof given === 'string' ? (await openKeyspace(given)).keyspace : given;
  const log: LogLine[] = [];
  const node = await Node.start({
    config,
    keyspace,
    log: Log.create({ level: options.logLevel ?? 'info', output: { write: (line) => log.push(JSON.parse(line)) } }),
    ...(options.descriptorLimit === undefined ? {} : { descriptorLimit: options.descriptorLimit }),
    modules,
    accounts: internalAccounts,
  });
  onTestFinished(async () => {
    await node.stop();
    await keyspace.close();
  });
  return new TestServer(node, keyspace, log);
}
