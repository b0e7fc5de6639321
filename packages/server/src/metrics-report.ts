import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Registry } from '@parley/metrics/registry';
import type { Log } from './log.ts';

export const nodeMetricsKeys = declareKeys({
  name: 'node-metrics',
  scope: 'global',
  parts: ['node'],
  type: 'string',
  content: 'the latest snapshot of the metrics of a node, as JSON (Redis; an embedded node gives it on its socket)',
  bound: 'one for each node that runs, with as many series as the catalogue has',
  ttl: '15 s',
});

const INTERVAL_MS = 5000;
/** Two snapshots may get lost; then the node counts as gone. */
const KEPT_MS = 3 * INTERVAL_MS;

export interface MetricsReportOptions {
  readonly keyspace: Keyspace;
  readonly registry: Registry;
  /** What tells this node from all others. */
  readonly node: string;
  readonly log: Log;
}

/** Keeps the node's metrics in the keyspace, for whoever watches all nodes together. */
export class MetricsReport implements AsyncDisposable {
  readonly #options: MetricsReportOptions;
  readonly #key: string;
  readonly #timer: NodeJS.Timeout;
  #written: Promise<void>;

  constructor(options: MetricsReportOptions) {
    this.#options = options;
    this.#key = nodeMetricsKeys.key(options.node);
    this.#written = this.#write();
    this.#timer = setInterval(() => {
      this.#written = this.#write();
    }, INTERVAL_MS).unref();
  }

  async #write(): Promise<void> {
    const { keyspace, registry, node } = this.#options;
    await this.#attempt(() => keyspace.set(this.#key, JSON.stringify(registry.snapshot(node)), { px: KEPT_MS }));
  }

  /** That the keyspace is away is told by whoever keeps it; the next snapshot is as good as this one. */
  async #attempt(command: () => Promise<unknown>): Promise<void> {
    try {
      await command();
    } catch (error) {
      if (!(error instanceof KeyspaceError)) this.#options.log.error('metrics.unreported', { error: error as Error });
    }
  }

  /** A node that stops is not missed: what it had reported goes with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#written;
    await this.#attempt(() => this.#options.keyspace.del(this.#key));
  }
}
