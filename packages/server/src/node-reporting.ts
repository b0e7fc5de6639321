import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { NodeReport } from '@parley/metrics/node-report';
import type { Log } from './log.ts';

export const nodeReportKeys = declareKeys({
  name: 'node-reports',
  scope: 'global',
  parts: ['node'],
  type: 'string',
  content:
    'how a node is: its metrics, version, state and streams to others, as JSON (Redis; an embedded node tells it on its socket)',
  bound: 'one for each node that runs, with as many series as the catalogue has and `snmp.mostAssociations` streams',
  ttl: '15 s',
});

const INTERVAL_MS = 5000;
/** Two snapshots may get lost; then the node counts as gone. */
const KEPT_MS = 3 * INTERVAL_MS;

export interface NodeReportingOptions {
  readonly keyspace: Keyspace;
  /** How the node is now. */
  report(): NodeReport;
  readonly log: Log;
}

/** Keeps in the keyspace how this node is, for whoever watches all nodes together. */
export class NodeReporting implements AsyncDisposable {
  readonly #options: NodeReportingOptions;
  readonly #timer: NodeJS.Timeout;
  #written: Promise<void>;

  constructor(options: NodeReportingOptions) {
    this.#options = options;
    this.#written = this.#write();
    this.#timer = setInterval(() => {
      this.#written = this.#write();
    }, INTERVAL_MS).unref();
  }

  async #write(): Promise<void> {
    const { keyspace, report } = this.#options;
    await this.#attempt(() => {
      const now = report();
      return keyspace.set(nodeReportKeys.key(now.node), JSON.stringify(now), { px: KEPT_MS });
    });
  }

  /** That the keyspace is away is told by whoever keeps it; the next snapshot is as good as this one. */
  async #attempt(command: () => Promise<unknown>): Promise<void> {
    try {
      await command();
    } catch (error) {
      if (!(error instanceof KeyspaceError)) this.#options.log.error('node.unreported', { error: error as Error });
    }
  }

  /** The last one tells that the node has stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#written;
    await this.#write();
  }
}
