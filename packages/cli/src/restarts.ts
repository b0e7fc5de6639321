import { Failed } from './exit.ts';

const MOST = 5;
const WINDOW_MS = 60_000;

/** How often a server starts anew in this process: what goes wrong again and again is for somebody else to look at. */
export class Restarts {
  #times: number[] = [];

  /** Throws where it was too often in the last minute. */
  count(now = performance.now()): void {
    this.#times = this.#times.filter((time) => now - time < WINDOW_MS);
    this.#times.push(now);
    if (this.#times.length <= MOST) return;
    throw new Failed(
      `The node had to start anew ${this.#times.length} times within a minute, since others gave it up: it ends. Look whether this machine, or its way to Redis, stands still for longer than cluster.leaseMilliseconds.`,
    );
  }
}
