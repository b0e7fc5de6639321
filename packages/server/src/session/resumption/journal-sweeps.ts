import { PARTITIONS } from '@parley/keyspace/key';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { sweep } from './journal-sweep.ts';

export interface JournalSweepsHost {
  readonly keyspace: Keyspace;
  /** All partitions are looked at within this time. */
  readonly sweepSeconds: number;
  /** Which of how many nodes this one is: each looks at its share of the partitions. */
  share(): { readonly place: number; readonly of: number };
  /** Entries of a partition are missing, or, below 0, there are too many. */
  onMissing(partition: number, missing: number): void;
  onFault(error: unknown): void;
}

/** All partitions are looked at in so many steps. */
const STEPS = 60;

/**
 * The message loss alarm: what the journals of a partition ever got must be what was delivered, moved and bounced, and what
 * is there. Where it is not twice in a row, somebody is told, once.
 */
export class JournalSweeps implements AsyncDisposable {
  readonly #host: JournalSweepsHost;
  readonly #timer: NodeJS.Timeout;
  /** Partitions in which something was missing when they were looked at last. */
  readonly #differing = new Set<number>();
  #step = 0;
  #running: Promise<void> = Promise.resolve();
  #busy = false;

  constructor(host: JournalSweepsHost) {
    this.#host = host;
    this.#timer = setInterval(() => this.#tick(), (host.sweepSeconds * 1000) / STEPS).unref();
  }

  #tick(): void {
    if (this.#busy) return; // the keyspace is slow
    this.#busy = true;
    this.#running = this.#next()
      .catch((error) => {
        // that the keyspace is away is told by whoever keeps it
        if (!(error instanceof KeyspaceError)) this.#host.onFault(error);
      })
      .finally(() => {
        this.#busy = false;
      });
  }

  async #next(): Promise<void> {
    const { place, of } = this.#host.share();
    const step = this.#step;
    this.#step = (step + 1) % STEPS;
    const partitions: number[] = [];
    for (let partition = step; partition < PARTITIONS; partition += STEPS) {
      // another node looks at it: what this one saw is of the past
      if (Math.floor(partition / STEPS) % of !== place) this.#differing.delete(partition);
      else partitions.push(partition);
    }
    await Promise.all(partitions.map((partition) => this.look(partition)));
  }

  /** Looks at one partition. */
  async look(partition: number): Promise<void> {
    const again = this.#differing.has(partition);
    const { missing } = await sweep(this.#host.keyspace, partition, again);
    if (missing === 0) this.#differing.delete(partition);
    else if (again) {
      this.#differing.delete(partition);
      this.#host.onMissing(partition, missing);
    } else this.#differing.add(partition);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }
}
