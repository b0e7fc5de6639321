import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { openKeyspace } from '@parley/keyspace/open';
import { NODE_STATES } from '@parley/metrics/node-state';
import { Registry } from '@parley/metrics/registry';
import { internalAccounts } from './accounts.ts';
import type { Audit } from './audit/audit.ts';
import { observeAudit } from './audit/audit-metrics.ts';
import { certificateFiles, embeddedFolder } from './certificates.ts';
import type { Changes } from './config/reload.ts';
import type { Configuration } from './config/schema.ts';
import { FileWatch } from './file-watch.ts';
import { journalSweeps } from './journal-alarm.ts';
import { keyspaceMetrics, observeKeyspace } from './keyspace-metrics.ts';
import { domainReplicas, keyspaceUrl } from './keyspace-url.ts';
import { Log } from './log.ts';
import { modules } from './modules.ts';
import { Node } from './node.ts';
import { NodeCondition } from './node-condition.ts';
import { NodeReporting } from './node-reporting.ts';
import { openPorts } from './ports.ts';
import { descriptorLimit, ProcessMetrics } from './process-metrics.ts';
import { type NodeTelemetry, startTelemetry } from './telemetry.ts';
import { keyspaceSpans } from './tracing/keyspace-spans.ts';
import { version } from './version.ts';

export interface ServeOptions {
  readonly config: Configuration;
  /** Reads the configuration again; throws a ConfigurationError. */
  readConfiguration(): Configuration;
  /** The node gave itself up, since others have: start it anew. */
  onFenced?(): void;
  /** How often that has happened in this process. */
  readonly timesFenced?: number;
  /** Instead of the log on standard output. */
  readonly log?: Log;
  /** What the log tells, too, where it is configured. */
  readonly audit?: Audit | undefined;
}

/** A server of one node: the keyspace, the node and its ports, let go of in reverse. */
export class Server implements AsyncDisposable {
  readonly node: Node;
  readonly log: Log;
  /** Everything that it listens on, by the name in the configuration. */
  readonly listeners: readonly { readonly name: string; readonly port: number }[];
  readonly #parts: AsyncDisposableStack;
  readonly #options: ServeOptions;
  readonly #telemetry: NodeTelemetry | undefined;

  private constructor(
    node: Node,
    log: Log,
    listeners: Server['listeners'],
    parts: AsyncDisposableStack,
    options: ServeOptions,
    telemetry: NodeTelemetry | undefined,
  ) {
    this.node = node;
    this.log = log;
    this.listeners = listeners;
    this.#parts = parts;
    this.#options = options;
    this.#telemetry = telemetry;
  }

  /** Resolves when everything listens. Rejects, with nothing left open, where something does not start. */
  static async start(options: ServeOptions): Promise<Server> {
    const { config } = options;
    const id = randomBytes(8).toString('hex');
    const name = config.cluster.name || nodeName();
    const log = options.log ?? Log.create({ level: config.log.level, pretty: config.log.pretty });
    await using parts = new AsyncDisposableStack();
    parts.defer(() => log.flush());
    const registry = new Registry();
    const telemetry = await startTelemetry({ config, registry, log, name });
    if (telemetry !== undefined) parts.use(telemetry);
    const shared = /^redis/.test(config.keyspace.url);
    const { keyspace, bus } = await openKeyspace(keyspaceUrl(config), {
      node: id,
      durability: config.keyspace.durability,
      deadline: config.keyspace.commandTimeoutSeconds * 1000,
      connectDeadline: config.keyspace.connectTimeoutSeconds * 1000,
      replicas: config.keyspace.replicas,
      domainReplicas: domainReplicas(config),
      observer: {
        ...keyspaceMetrics(registry.metrics, log),
        ...(telemetry && keyspaceSpans(shared ? 'redis' : 'embedded')),
      },
    });
    parts.use(keyspace);
    registry.metrics.clusterFenced.add(options.timesFenced ?? 0);
    registry.metrics.logDropped.observe(() => log.dropped);
    if (options.audit !== undefined) observeAudit(registry.metrics, options.audit, name);
    observeKeyspace(registry.metrics, keyspace);
    registry.metrics.build.with({ version, node: process.version }).set(1);
    keyspace.onState((state, reason) => {
      if (state === 'up') log.warn('keyspace.up', { message: 'The keyspace answers again.' });
      else log.error('keyspace.down', { message: reason?.message });
    });
    parts.use(new ProcessMetrics(registry.metrics, embeddedFolder(config)));
    const limit = descriptorLimit();
    let started: Node | undefined;
    // before they are read for the first time
    const certificateWatch = new FileWatch(
      () => certificateFiles(started?.config ?? config),
      async () => {
        await started?.reload(started.config);
        log.info('certificates.reloaded', { domains: started?.domains });
      },
      (error) => log.error('certificates.refused', { error, message: 'Those read before stay in force.' }),
    );
    const node = parts.use(
      await Node.start({
        config,
        keyspace,
        log,
        modules,
        registry,
        tracing: telemetry?.tracing,
        accounts: internalAccounts,
        descriptorLimit: limit,
        ...(shared && { cluster: { bus, id, name } }),
        onFenced: () => options.onFenced?.(),
      }),
    );
    started = node;
    const { journalSweepSeconds: sweepSeconds } = config.keyspace;
    parts.use(journalSweeps({ keyspace, sweepSeconds, id, node, registry, log }));
    const condition = new NodeCondition(node, keyspace);
    for (const state of NODE_STATES) {
      registry.metrics.nodeState.with({ state }).observe(() => (condition.state === state ? 1 : 0));
    }
    // an embedded node tells it on its socket
    if (shared) {
      const { downSeconds, forgetSeconds } = config.snmp;
      const shownSeconds = () => downSeconds + forgetSeconds;
      parts.use(new NodeReporting({ keyspace, report: () => condition.report(registry, name), shownSeconds, log }));
    }
    const reload = (by: string) => server.reload(by);
    const ports = await openPorts({ node, condition, name, keyspace, registry, log, reload });
    parts.use(ports);
    parts.use(certificateWatch.start());
    parts.defer(() => node.stop()); // first of all: the ports tell of it meanwhile
    const listeners = [...node.ports, ...ports.listeners];
    const server: Server = new Server(node, log, listeners, parts.move(), options, telemetry);
    log.info('server.started', { node: name, domains: node.domains, listeners: server.listeners });
    return server;
  }

  /** Reads configuration and certificates again. Throws, and changes nothing, where they are not good. */
  async reload(by = 'SIGHUP'): Promise<Changes> {
    const { reloads } = this.node.registry.metrics;
    try {
      const changes = await this.node.reload(this.#options.readConfiguration());
      this.log.setLevel(this.node.config.log.level);
      this.#telemetry?.take(this.node.config);
      reloads.with({ outcome: 'applied' }).add(1);
      this.log.info('configuration.reloaded', { ...changes, by });
      return changes;
    } catch (error) {
      reloads.with({ outcome: 'refused' }).add(1);
      this.log.error('configuration.refused', { error: error as Error, by });
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

/** Another one at each start, so that a node that comes back is not taken for the one that died. */
const nodeName = () => `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`;
