import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const FULL = constants.NODE_PERFORMANCE_GC_MAJOR;

const isFull = (entry: object): boolean => (entry as { detail?: { kind?: number } }).detail?.kind === FULL;

/** What V8 takes for young objects at most, by default; what lasts has the rest of the heap. */
const YOUNG_BYTES = 3 * 32 * 1024 * 1024;

/** What is alive on the heap: what is in use otherwise holds garbage that costs nothing but its collection. */
export class LiveHeap implements Disposable {
  #used = getHeapStatistics().used_heap_size;
  #measuredAt = performance.now();
  readonly #onMeasured: () => void;
  readonly #observer = new PerformanceObserver((list) => {
    if (list.getEntries().some(isFull)) this.#measure();
  });

  /** `onMeasured` is called after each full collection. */
  constructor(onMeasured: () => void = () => {}) {
    this.#onMeasured = onMeasured;
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  #measure(): void {
    this.#used = getHeapStatistics().used_heap_size;
    this.#measuredAt = performance.now();
    this.#onMeasured();
  }

  /** What the last full collection left, as a share of what there is for it, in percent. */
  get percent(): number {
    const { heap_size_limit: limit } = getHeapStatistics();
    return (this.#used / Math.max(limit - YOUNG_BYTES, limit / 3)) * 100;
  }

  /** Milliseconds since the last full collection. */
  get age(): number {
    return performance.now() - this.#measuredAt;
  }

  /** Collects now, which stops everything for as long as it takes. */
  collect(): void {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    setFlagsFromString('--no-expose-gc');
    collect();
    this.#measure();
  }

  [Symbol.dispose](): void {
    this.#observer.disconnect();
  }
}
