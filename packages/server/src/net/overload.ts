import { monitorEventLoopDelay } from 'node:perf_hooks';
import { LiveHeap } from './live-heap.ts';

export interface OverloadLimits {
  /** Share of the largest heap, in percent. */
  readonly heapPercent: number;
  /** 99th percentile over the last interval. */
  readonly eventLoopDelayMilliseconds: number;
}

export type OverloadCause = 'heap' | 'event-loop-delay';

const INTERVAL_MS = 1000;
const SAMPLE_MS = 10;

/** How long a full heap waits at first for a collection that comes by itself; twice as long each further time. */
const FIRST_WAIT_MS = 5000;
const LONGEST_WAIT_MS = 600_000;

/** Whether this process runs short of memory or time, looked at once a second. */
export class Overload implements Disposable {
  readonly #delay = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  readonly #heap = new LiveHeap(() => this.#onCollected());
  readonly #timer: NodeJS.Timeout;
  readonly #limits: () => OverloadLimits;
  readonly #onOverload: (cause: OverloadCause) => void;
  #cause: OverloadCause | undefined;
  #load = 0;
  #waitMs = FIRST_WAIT_MS;

  /** `onOverload` is called each time it is found. */
  constructor(limits: () => OverloadLimits, onOverload: (cause: OverloadCause) => void) {
    this.#limits = limits;
    this.#delay.enable();
    this.#onOverload = onOverload;
    this.#timer = setInterval(() => this.#found(this.#look()), INTERVAL_MS).unref();
  }

  #found(cause: OverloadCause | undefined): void {
    this.#cause = cause;
    if (cause !== undefined) this.#onOverload(cause);
  }

  /** A small heap may fill up within a second. */
  #onCollected(): void {
    if (this.#cause === undefined && this.#heap.percent > this.#limits().heapPercent) this.#found('heap');
  }

  get cause(): OverloadCause | undefined {
    return this.#cause;
  }

  /** What is used of what there is less of, 1 being the limit. */
  get load(): number {
    return this.#cause === undefined ? this.#load : Math.max(this.#load, 1);
  }

  #look(): OverloadCause | undefined {
    const { heapPercent, eventLoopDelayMilliseconds } = this.#limits();
    // the monitor measures its own interval along with the delay
    const delay = this.#delay.percentile(99) / 1e6 - SAMPLE_MS;
    this.#delay.reset();
    this.#load = Math.max(this.#heap.percent / heapPercent, delay / eventLoopDelayMilliseconds);
    if (this.#isHeapFull(heapPercent)) return 'heap';
    return delay > eventLoopDelayMilliseconds ? 'event-loop-delay' : undefined;
  }

  #isHeapFull(percent: number): boolean {
    const heap = this.#heap;
    // a node that takes in nobody new has so little to do that no collection would come and tell that there is room
    if (heap.percent > percent && heap.age > this.#waitMs) {
      heap.collect();
      this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS);
    }
    if (heap.percent > percent) return true;
    this.#waitMs = FIRST_WAIT_MS;
    return false;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#delay.disable();
    this.#heap[Symbol.dispose]();
  }
}
