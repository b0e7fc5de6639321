import { logEvents } from '../log-events/catalogue.ts';
import type { LogEvent } from '../log-events/log-event.ts';

const SECOND = 1000;

/** Events that anybody outside can cause at any rate. */
const byOthers: ReadonlySet<string> = new Set(
  Object.entries(logEvents as Readonly<Record<string, LogEvent>>)
    .filter(([, { levels, audited }]) => levels.includes('flood') || audited?.byOthers)
    .map(([name]) => name),
);

/** So many entries of an event in a second, where others can cause it; what is beyond is counted and told at its end. */
export class EntryRate {
  readonly #perSecond: number;
  readonly #onOmitted: (event: string, omitted: number) => void;
  readonly #seconds = new Map<string, { count: number; timer: NodeJS.Timeout }>();

  constructor(perSecond: number, onOmitted: (event: string, omitted: number) => void) {
    this.#perSecond = perSecond;
    this.#onOmitted = onOmitted;
  }

  admits(event: string): boolean {
    if (!byOthers.has(event)) return true;
    let second = this.#seconds.get(event);
    if (second === undefined) {
      second = { count: 0, timer: setTimeout(() => this.#end(event), SECOND).unref() };
      this.#seconds.set(event, second);
    }
    second.count++;
    return second.count <= this.#perSecond;
  }

  /** Tells what was left out by now. */
  close(): void {
    for (const event of [...this.#seconds.keys()]) this.#end(event);
  }

  #end(event: string): void {
    const { count = 0, timer } = this.#seconds.get(event) ?? {};
    clearTimeout(timer);
    this.#seconds.delete(event);
    if (count > this.#perSecond) this.#onOmitted(event, count - this.#perSecond);
  }
}
