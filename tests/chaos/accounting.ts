import { setTimeout as pause } from 'node:timers/promises';
import { PARTITIONS } from '@parley/keyspace/key';
import { openKeyspace } from '@parley/keyspace/open';
import { type Swept, sweep } from '@parley/server/session/resumption/journal-sweep';
import type { Cluster } from './cluster.ts';
import type { Timeline } from './timeline.ts';

const EVERY_MS = 3000;

/** Looks again and again whether the alarm for lost messages would have a reason, and how much there was to look at. */
export class Accounting {
  readonly #cluster: Cluster;
  readonly #timeline: Timeline;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  /** Looks at a whole Redis in which something was missing, or too much. */
  wrong = 0;
  looks = 0;
  entered = 0;

  constructor(cluster: Cluster, timeline: Timeline) {
    this.#cluster = cluster;
    this.#timeline = timeline;
    this.#running = cluster.redis === undefined ? Promise.resolve() : this.#watch();
  }

  async #watch(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#look().catch(() => {}); // it is being killed just now
      await pause(EVERY_MS, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
  }

  async #look(deadline = 2000): Promise<void> {
    const { redis } = this.#cluster;
    if (redis === undefined) return;
    const { keyspace } = await openKeyspace(redis.primary.url, { deadline, connectDeadline: deadline });
    try {
      const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
      const all = await Promise.all(partitions.map((partition) => sweep(keyspace, partition, false)));
      this.looks++;
      this.entered = all.reduce((sum, { entered }) => sum + entered, 0);
      const found = all.flatMap((swept, partition) => (swept.missing === 0 ? [] : [{ partition, ...swept }]));
      if (found.length > 0) this.#tell(found);
    } finally {
      await keyspace.close();
    }
  }

  #tell(found: readonly Swept[]): void {
    this.wrong++;
    this.#timeline.note(`WRONG unaccounted ${JSON.stringify(found)}`);
  }

  /** Looks once more; resolves to how often something was wrong, the nodes' own alarms among it. */
  async end(): Promise<number> {
    this.#stopping.abort();
    await this.#running;
    await this.#look(60_000); // nothing is killed any more: it only takes as long as the machine does
    const alarms = this.#cluster.nodes.flatMap(({ log }) => log.filter(isAlarm));
    for (const alarm of alarms) this.#timeline.note(`WRONG ${JSON.stringify(alarm)}`);
    return this.wrong + alarms.length;
  }
}

const isAlarm = (line: object): boolean => 'event' in line && line.event === 'journal.unaccounted';
