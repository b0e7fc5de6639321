import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { type Opened, openKeyspace } from '@parley/keyspace/open';
import type { LimitName } from '@parley/metrics/catalogue';
import type { Counter } from '@parley/metrics/counter';
import type { Metrics } from '@parley/metrics/registry';
import { internalAccounts } from '@parley/server/accounts';
import type { AuditEntry } from '@parley/server/audit/audit-entry';
import type { Authenticator } from '@parley/server/auth/authenticator';
import { type Configuration, configurationSchema } from '@parley/server/config/schema';
import { Log } from '@parley/server/log';
import { type Module, moduleSettings } from '@parley/server/module';
import { modules as allModules } from '@parley/server/modules';
import { Node, type NodeOptions } from '@parley/server/node';
import type { Session } from '@parley/server/session/session';
import type { Stream } from '@parley/server/stream/stream';
import type { Tracing } from '@parley/server/tracing/tracing';
import { Jid } from '@parley/xmpp/jid';
import { onTestFinished } from 'vitest';
import { auditInto } from './audit.ts';
import { TestClient } from './client.ts';
import { hasDeclaredFields } from './declared-event.ts';
import { Floor } from './floor.ts';
import { overheard, searchLog } from './log-search.ts';
import { MemoryTransport } from './memory-transport.ts';
import { quiet } from './quiet.ts';
import { emptyKeyspace, nodeCount } from './topology.ts';
import { unhurried } from './unhurried.ts';
import { memoryWire } from './wires.ts';

/** The part of a configuration that a test cares for, at any depth. */
export type Partly<T> = {
  [Key in keyof T]?: T[Key] extends readonly unknown[] ? unknown : T[Key] extends object ? Partly<T[Key]> : T[Key];
};

export interface ServerOptions {
  config?: Partly<Configuration>;
  modules?: readonly Module[];
  /** A keyspace or its URL, for one node alone; an empty one of the topology that is tested when left out. */
  keyspace?: string | Keyspace;
  /** As many as the topology that is tested has, when left out. */
  nodes?: 1;
  /** File descriptors that the node may believe to have. */
  descriptorLimit?: number;
  /** What the nodes trace, and where. */
  tracing?: Tracing;
  /** From which level on a test sees the log; `info` when left out. Secrets are looked for in `debug`, too. */
  logLevel?: 'trace' | 'debug' | 'info';
}

export interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** The server in this process, of one node or several, and what a test does with it. Ends with the test. */
export class TestServer {
  readonly nodes: readonly Node[];
  /** What the first node has open. */
  readonly keyspace: Keyspace;
  /** What the nodes logged, from `info` on. */
  readonly log: LogLine[];
  /** What stands in the audit stream of the nodes. */
  readonly audit: AuditEntry[];
  readonly #floor: Floor | undefined;
  readonly #nodeOf = new WeakMap<TestClient, Node>();
  #connections = 0;

  constructor(nodes: readonly Node[], keyspace: Keyspace, log: LogLine[], audit: AuditEntry[], floor?: Floor) {
    this.nodes = nodes;
    this.keyspace = keyspace;
    this.log = log;
    this.audit = audit;
    this.#floor = floor;
  }

  /** The only node, or the first one. */
  get node(): Node {
    return this.nodes[0] as Node;
  }

  /** Where the next connection goes to: each time another node. */
  #nextNode(): Node {
    return this.nodes[this.#connections++ % this.nodes.length] as Node;
  }

  /** A port by its name in the configuration, each time that of another node. */
  port(name: string): number {
    return this.#nextNode().ports.find((port) => port.name === name)?.port ?? 0;
  }

  /** The node that a client is connected to. */
  nodeOf(client: TestClient): Node {
    const node = this.#nodeOf.get(client);
    if (node === undefined) throw new Error(`${client.jid} did not connect here.`);
    return node;
  }

  /** The sessions of all nodes. */
  get sessions(): Session[] {
    return this.nodes.flatMap(({ sessions }) => [...sessions]);
  }

  /** The session with this full JID, on whatever node. */
  sessionOf(jid: string): Session {
    const session = this.sessions.find((each) => each.jid.toString() === jid);
    if (session === undefined) throw new Error(`${jid} has no session.`);
    return session;
  }

  /** What the nodes have counted together. */
  count(of: (metrics: Metrics) => Counter): number {
    return this.nodes.reduce((sum, { registry }) => sum + of(registry.metrics).value, 0);
  }

  /** How often a limit was exceeded, on all nodes together. */
  exceeded(limit: LimitName): number {
    return this.count(({ limitsExceeded }) => limitsExceeded.with({ limit }));
  }

  /** Resolves when all that was begun is done, on every node. */
  settled(): Promise<void> {
    return this.#floor?.settled() ?? quiet(this.nodes);
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
    return this.#attach(prepare).client;
  }

  #attach(prepare?: (transport: MemoryTransport) => void): { client: TestClient; stream: Stream } {
    const transport = new MemoryTransport();
    prepare?.(transport);
    const node = this.#nextNode();
    const stream = node.attach(transport);
    const client = new TestClient(memoryWire(transport), this.#floor);
    this.#nodeOf.set(client, node);
    return { client, stream };
  }

  /** A client whose account exists, logged in, with nothing bound yet. */
  async authenticated(jid: string, prepare?: (transport: MemoryTransport) => void): Promise<TestClient> {
    await this.account(jid);
    const { bare, domain } = Jid.parse(jid);
    const { client, stream } = this.#attach(prepare);
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
    await this.#floor?.settled();
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

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];

/** Starts a server on no ports, with an empty keyspace of the topology that is tested unless told otherwise. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const modules = options.modules ?? allModules;
  const config = configurationSchema(moduleSettings(modules)).parse({
    ...unhurried(options.config ?? {}),
    domains: options.config?.domains ?? ['localhost'],
    listen: { c2s: [], c2sTls: [], s2s: [], s2sTls: [], components: [], http: [], ...options.config?.listen },
    keyspace: { url: 'embedded::memory:', ...options.config?.keyspace },
    authentication: { iterations: 4096, ...options.config?.authentication },
    // what is left over at the end of a test comes back to no other node
    drain: { ...(nodeCount > 1 && { seconds: 1 }), ...options.config?.drain },
    admin: { socket: join(tmpdir(), 'parley-tests', 'parley.sock') }, // its folder keeps the certificate
    cluster: { secret: 'a secret that only the tests know of', ...options.config?.cluster },
  });
  const log: LogLine[] = [];
  const { logLevel = 'info' } = options;
  const everything: string[] = [];
  const write = (line: string) => {
    everything.push(line);
    const said = JSON.parse(line) as LogLine;
    if (LEVELS.indexOf(String(said.level)) >= LEVELS.indexOf(logLevel)) log.push(said);
  };
  const audit: AuditEntry[] = [];
  const audited: string[] = [];
  const stream = auditInto((line) => {
    audited.push(line);
    audit.push(JSON.parse(line));
  });
  overheard(JSON.stringify(config));
  onTestFinished(() => {
    searchLog(everything.join('') + audited.join(''));
    for (const line of everything) hasDeclaredFields(JSON.parse(line));
  });
  const start = async (keyspace: Keyspace, cluster?: NodeOptions['cluster']): Promise<Node> => {
    const node = await Node.start({
      config,
      keyspace,
      log: Log.create({ level: logLevel === 'trace' ? 'trace' : 'debug', output: { write }, audit: stream }),
      ...(options.descriptorLimit === undefined ? {} : { descriptorLimit: options.descriptorLimit }),
      modules,
      tracing: options.tracing,
      accounts: internalAccounts,
      ...(cluster === undefined ? {} : { cluster }),
    });
    onTestFinished(async () => {
      await node.stop();
      await keyspace.close();
    });
    return node;
  };
  if (options.keyspace === undefined && options.nodes === undefined && nodeCount > 1) {
    const url = await emptyKeyspace();
    const opened: Opened[] = [];
    const nodes: Node[] = [];
    while (nodes.length < nodeCount) {
      const id = randomBytes(8).toString('hex');
      const { keyspace, bus } = await openKeyspace(url, { node: id });
      opened.push({ keyspace, bus });
      nodes.push(await start(keyspace, { bus, id, name: `node-${nodes.length}` }));
    }
    const floor = new Floor(() => quiet(nodes));
    onTestFinished(() => floor[Symbol.dispose]());
    return new TestServer(nodes, (opened[0] as Opened).keyspace, log, audit, floor);
  }
  const given = options.keyspace ?? (await emptyKeyspace());
  const keyspace = typeof given === 'string' ? (await openKeyspace(given)).keyspace : given;
  return new TestServer([await start(keyspace)], keyspace, log, audit);
}
