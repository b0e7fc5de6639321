import type { Trace } from '../tracing/trace.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { decodeTrace } from './items.ts';

/** What other nodes have said of the next thing of one kind that they send: to which trace it belongs. */
export class ToldTraces {
  readonly #tracing: Tracing | undefined;
  readonly #next = new Map<string, string>();

  constructor(tracing: Tracing | undefined) {
    this.#tracing = tracing;
  }

  told(from: string, item: Buffer): void {
    if (this.#tracing !== undefined) this.#next.set(from, decodeTrace(item));
  }

  /** That thing has come: goes on with its trace, if it has one. */
  join(from: string): Trace | undefined {
    if (this.#next.size === 0) return undefined;
    const traceparent = this.#next.get(from);
    if (traceparent === undefined) return undefined;
    this.#next.delete(from);
    return this.#tracing?.join(traceparent);
  }
}
