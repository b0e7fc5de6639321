import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { type NodeReport, parseNodeReport } from '@parley/metrics/node-report';
import type { Log } from './log.ts';

export const nodeReportKeys = declareKeys({
  name: 'node-reports',
  scope: 'global',
  type: 'hash',
  content:
    'node → how it was lately: its metrics, version, state and streams to others, as JSON (Redis; an embedded node tells it on its socket)',
  bound:
    'the nodes that run, and those that ended within the last hour, or within `snmp.forgetSeconds`, each with as many series as the catalogue has and `snmp.mostAssociations` streams',
  ttl: '1 h after the last node has ended, or `snmp.forgetSeconds`',
});

const INTERVAL_MS = 5000;
/** What a node that is gone has told last stays for so long at least. */
const KEPT_MS = 3_600_000;

export interface NodeReportingOptions {
  readonly keyspace: Keyspace;
  /** How the node is now. */
  report(): NodeReport;
  /** For how long somebody shows a node that is gone: what it has told last stays until then. */
  shownSeconds(): number;
  readonly log: Log;
}

/** Keeps in the keyspace how this node is, for whoever watches all nodes together. */
export class NodeReporting implements AsyncDisposable {
  readonly #options: NodeReportingOptions;
  readonly #timer: NodeJS.Timeout;
  #written: Promise<void>;

  constructor(options: NodeReportingOptions) {
    this.#options = options;
    this.#written = this.#attempt(() => forgetOld(options.keyspace, this.#keptMs)).then(() => this.#write());
    this.#timer = setInterval(() => {
      this.#written = this.#write();
    }, INTERVAL_MS).unref();
  }

  get #keptMs(): number {
    return Math.max(KEPT_MS, this.#options.shownSeconds() * 1000);
  }

  async #write(): Promise<void> {
    const { keyspace, report } = this.#options;
    await this.#attempt(() => {
      const now = report();
      const key = nodeReportKeys.key();
      const write = ['hset', key, [[now.node, JSON.stringify(now)]]] as const;
      return keyspace.batch([write, ['pexpire', key, this.#keptMs]], { atomic: false });
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

/** What all nodes have told last. Those that say what this version does not understand are left out. */
export async function readNodeReports(keyspace: Keyspace): Promise<NodeReport[]> {
  const told = await keyspace.hgetall(nodeReportKeys.key());
  return [...told.values()].flatMap((text) => {
    try {
      return [parseNodeReport(String(text))];
    } catch {
      return [];
    }
  });
}

/** A node that starts leaves nothing of those that ended long ago. */
async function forgetOld(keyspace: Keyspace, keptMs: number): Promise<void> {
  const [told, now] = await Promise.all([keyspace.hgetall(nodeReportKeys.key()), keyspace.now()]);
  const old = [...told].flatMap(([name, text]) => {
    const at = /"at":(\d+)/.exec(String(text))?.[1];
    return at !== undefined && now - Number(at) <= keptMs ? [] : [name];
  });
  if (old.length > 0) await keyspace.hdel(nodeReportKeys.key(), ...old);
}
