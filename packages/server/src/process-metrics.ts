import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Metrics } from '@parley/metrics/registry';

const INTERVAL_MS = 5000;
const NANOSECONDS = 1e9;

/** Measures the process itself, every five seconds. */
export class ProcessMetrics implements Disposable {
  readonly #metrics: Metrics;
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();
  #cpu = process.cpuUsage();

  /** `store` is the folder of an embedded keyspace, if there is one. */
  constructor(metrics: Metrics, store?: string) {
    this.#metrics = metrics;
    if (store !== undefined) metrics.keyspaceSize.observe(() => sizeOf(store));
    this.#delay.enable();
    metrics.descriptors.with({ state: 'limit' }).set(descriptorLimit());
    this.#measure();
    this.#timer = setInterval(() => this.#measure(), INTERVAL_MS).unref();
  }

  #measure(): void {
    const metrics = this.#metrics;
    metrics.eventLoopDelay.with({ quantile: 'p50' }).set(this.#delay.percentile(50) / NANOSECONDS);
    metrics.eventLoopDelay.with({ quantile: 'p99' }).set(this.#delay.percentile(99) / NANOSECONDS);
    metrics.eventLoopDelay.with({ quantile: 'max' }).set(this.#delay.max / NANOSECONDS);
    this.#delay.reset();
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    metrics.heap.with({ state: 'used' }).set(used);
    metrics.heap.with({ state: 'limit' }).set(limit);
    metrics.rss.set(process.memoryUsage.rss());
    const cpu = process.cpuUsage();
    metrics.cpu.with({ mode: 'user' }).add((cpu.user - this.#cpu.user) / 1e6);
    metrics.cpu.with({ mode: 'system' }).add((cpu.system - this.#cpu.system) / 1e6);
    this.#cpu = cpu;
    metrics.uptime.set((performance.now() - this.#startedAt) / 1000);
    metrics.descriptors.with({ state: 'used' }).set(openDescriptors());
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }
}

/** File descriptors that this process may have open. */
export function descriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return 10_240; // no /proc: what macOS gives
  }
}

/** Bytes of the files in a folder. */
function sizeOf(folder: string): number {
  let bytes = 0;
  for (const name of readdirSync(folder)) bytes += statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0;
  return bytes;
}

function openDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return 0; // no /proc
  }
}
