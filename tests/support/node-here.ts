import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openKeyspace } from '@parley/keyspace/open';
import { internalAccounts } from '@parley/server/accounts';
import type { FrameVersions } from '@parley/server/cluster/frame-versions';
import { type Configuration, configurationSchema } from '@parley/server/config/schema';
import { domainReplicas } from '@parley/server/keyspace-url';
import { Log } from '@parley/server/log';
import { moduleSettings } from '@parley/server/module';
import { modules } from '@parley/server/modules';
import { Node } from '@parley/server/node';
import { keyspaceSpans } from '@parley/server/tracing/keyspace-spans';
import type { Tracing } from '@parley/server/tracing/tracing';
import { Jid } from '@parley/xmpp/jid';
import { onTestFinished } from 'vitest';
import type { LogLine, Partly } from './server.ts';

const nowhere = { host: '127.0.0.1', port: 0 };

export interface NodeHereOptions {
  readonly name?: string;
  /** The versions of frames that its program has. */
  readonly frames?: FrameVersions;
  readonly config?: Partly<Configuration>;
  /** What it traces, and where. */
  readonly tracing?: Tracing;
}

/** One node of a cluster, in this process, with a port for clients. Ends with the test, or before. */
export class NodeHere {
  readonly node: Node;
  readonly log: readonly LogLine[];
  readonly stop: () => Promise<void>;

  private constructor(node: Node, log: readonly LogLine[], stop: () => Promise<void>) {
    this.node = node;
    this.log = log;
    this.stop = stop;
  }

  /** On the keyspace with this URL. */
  static async start(
    url: string,
    { name = 'node', frames, config: given = {}, tracing }: NodeHereOptions = {},
  ): Promise<NodeHere> {
    const log: LogLine[] = [];
    const id = randomBytes(8).toString('hex');
    const config = configurationSchema(moduleSettings(modules)).parse({
      listen: { c2s: [nowhere], c2sTls: [], components: [nowhere], http: [] },
      authentication: { iterations: 4096 },
      drain: { seconds: 2 },
      admin: { socket: join(tmpdir(), 'parley-tests', 'parley.sock') }, // its folder keeps the certificate
      cluster: { secret: 'a secret that only the tests know of' },
      limits: { stanzas: { perSecond: 0 }, process: { eventLoopDelayMilliseconds: 60_000 } },
      ...given,
    });
    const { keyspace, bus } = await openKeyspace(url, {
      node: id,
      replicas: config.keyspace.replicas,
      domainReplicas: domainReplicas(config),
      ...(tracing && { observer: keyspaceSpans('redis') }),
    });
    onTestFinished(() => keyspace.close());
    const node = await Node.start({
      config,
      keyspace,
      log: Log.create({ level: 'info', output: { write: (line) => log.push(JSON.parse(line)) } }),
      modules,
      tracing,
      accounts: internalAccounts,
      cluster: { bus, id, name, ...(frames && { frames }) },
    });
    let stopping: Promise<void> | undefined;
    const stop = () => {
      stopping ??= node.stop().then(() => keyspace.close());
      return stopping;
    };
    onTestFinished(stop);
    return new NodeHere(node, log, stop);
  }

  get port(): number {
    return this.node.ports.find(({ name }) => name === 'c2s')?.port ?? 0;
  }

  /** Makes accounts with the password "secret". */
  async accounts(...jids: string[]): Promise<void> {
    for (const jid of jids) await this.node.accounts.create?.(Jid.parse(jid), 'secret');
  }

  /** What it logged of these events. */
  logged(...events: string[]): LogLine[] {
    return this.log.filter(({ event }) => events.includes(event));
  }
}
