import { logEvents } from '../log-events/catalogue.ts';
import type { LogEvent } from '../log-events/log-event.ts';

const SECOND = 1000;

/** Events that anybody outside can cause at any rate. */
const byOthers: ReadonlySet<string> = new Set(
  Object.entries(logEvents as Readonly<Record<string, LogEvent>>)
    .filter(([, { levels, audited }]) => levels.includes('flood') || audited?.byOthers)
    .map(([name]) => name),
);

/** So many entries of a kind in a second, where others can cause it; what is beyond is counted and told at its end. */
export class EntryRate {
  readonly #perSecond: number;
  readonly #onOmitted: (kind: string, omitted: number) => void;
  readonly #seconds = new Map<string, { count: number; timer: NodeJS.Timeout }>();

  constructor(perSecond: number, onOmitted: (kind: string, omitted: number) => void) {
    this.#perSecond = perSecond;
    this.#onOmitted = onOmitted;
  }

  admits(event: string, kind = event): boolean {
    if (!byOthers.has(event)) return true;
    let second = this.#seconds.get(kind);
    if (second === undefined) {
      second = { count: 0, timer: setTimeout(() => this.#end(kind), SECOND).unref() };
      this.#seconds.set(kind, second);
    }
    second.count++;
    return second.count <= this.#perSecond;
  }

  /** Tells what was left out by now. */
  close(): void {
    for (const kind of [...this.#seconds.keys()]) this.#end(kind);
  }

  #end(kind: string): void {
    const { count = 0, timer } = this.#seconds.get(kind) ?? {};
    clearTimeout(timer);
    this.#seconds.delete(kind);
    if (count > this.#perSecond) this.#onOmitted(kind, count - this.#perSecond);
  }
}
