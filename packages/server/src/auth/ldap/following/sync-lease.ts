import { setTimeout as pause } from 'node:timers/promises';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { directoryLeaseKeys } from './sync-keys.ts';
import { takeLease } from './sync-operations.ts';

/** Another node follows the directory now. */
export class LeaseLost extends Error {
  override name = 'LeaseLost';

  constructor() {
    super('Another node follows the directory now.');
  }
}

/** How long it rests where the work has ended by itself. */
const AGAIN_MS = 500;

export interface SyncLeaseOptions {
  readonly keyspace: Keyspace;
  readonly directory: string;
  /** Who this node is; another one after each start. */
  readonly holder: string;
  /** For how long it holds where its holder says nothing. */
  readonly leaseMs: () => number;
  readonly onTrouble: (error: unknown) => void;
}

/** The right to follow a directory: one node of the cluster has it at a time. */
export class SyncLease {
  readonly #options: SyncLeaseOptions;

  constructor(options: SyncLeaseOptions) {
    this.#options = options;
  }

  /**
   * Does the work whenever this node has the lease, until `signal` aborts. The work is told to end when the lease is
   * gone; where it ends by itself, it is begun again.
   */
  async keep(signal: AbortSignal, work: (epoch: number, signal: AbortSignal) => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      const { wait, epoch } = await this.#take();
      if (epoch === undefined) {
        await pause(wait, undefined, { signal, ref: false }).catch(() => {});
        continue;
      }
      await this.#hold(signal, epoch, work);
      await pause(AGAIN_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #hold(
    signal: AbortSignal,
    epoch: number,
    work: (epoch: number, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const lost = new AbortController();
    const ends = AbortSignal.any([signal, lost.signal]);
    const renewing = this.#renew(ends, epoch).finally(() => lost.abort(new LeaseLost()));
    try {
      await work(epoch, ends);
    } finally {
      lost.abort();
      await renewing;
      await this.#giveBack();
    }
  }

  /** Returns when the lease is lost, or may be. */
  async #renew(signal: AbortSignal, epoch: number): Promise<void> {
    let until = performance.now() + this.#options.leaseMs();
    while (!signal.aborted) {
      const every = this.#options.leaseMs() / 4;
      await pause(every, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      const asked = performance.now();
      const taken = await this.#take();
      if (taken.epoch === epoch) until = asked + this.#options.leaseMs();
      else if (!taken.failed || performance.now() + every > until) return;
    }
  }

  async #take(): Promise<{ epoch?: number; wait: number; failed?: boolean }> {
    const { keyspace, directory, holder, leaseMs, onTrouble } = this.#options;
    const time = leaseMs();
    try {
      const answer = await keyspace.call(takeLease, [directoryLeaseKeys.key(directory)], [holder, time]);
      return answer > 0 ? { epoch: answer, wait: 0 } : { wait: Math.min(time / 4, 20 - answer) };
    } catch (error) {
      onTrouble(error);
      return { wait: time / 4, failed: true };
    }
  }

  async #giveBack(): Promise<void> {
    const { keyspace, directory, holder } = this.#options;
    // where that fails it ends by itself
    await keyspace.call(takeLease, [directoryLeaseKeys.key(directory)], [holder, 0]).catch(() => {});
  }
}
