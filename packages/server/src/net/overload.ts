import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

export interface OverloadLimits {
  /** Share of the largest heap, in percent. */
  readonly heapPercent: number;
  /** 99th percentile over the last interval. */
  readonly eventLoopDelayMilliseconds: number;
}

export type OverloadCause = 'heap' | 'event-loop-delay';

const INTERVAL_MS = 1000;
const SAMPLE_MS = 10;

/** Whether this process runs short of memory or time, looked at once a second. */
export class Overload implements Disposable {
  readonly #delay = monitorEventLoopDelay({ resolution: SAMPLE_MS });
  readonly #timer: NodeJS.Timeout;
  readonly #limits: () => OverloadLimits;
  #cause: OverloadCause | undefined;

  /** `onOverload` is called each time it is found. */
  constructor(limits: () => OverloadLimits, onOverload: (cause: OverloadCause) => void) {
    this.#limits = limits;
    this.#delay.enable();
    this.#timer = setInterval(() => {
      this.#cause = this.#look();
      if (this.#cause !== undefined) onOverload(this.#cause);
    }, INTERVAL_MS).unref();
  }

  get cause(): OverloadCause | undefined {
    return this.#cause;
  }

  #look(): OverloadCause | undefined {
    const { heapPercent, eventLoopDelayMilliseconds } = this.#limits();
    // the monitor measures its own interval along with the delay
    const delay = this.#delay.percentile(99) / 1e6 - SAMPLE_MS;
    this.#delay.reset();
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    if (used > (limit * heapPercent) / 100) return 'heap';
    return delay > eventLoopDelayMilliseconds ? 'event-loop-delay' : undefined;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }
}
