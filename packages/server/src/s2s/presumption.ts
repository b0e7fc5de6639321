import { serialAdd } from '@parley/xmpp/serial';
import type { Backlog } from '../session/backlog.ts';

/** How long after it was written something counts as arrived; what was lost with a connection is noticed before. */
const ARRIVED_MS = 2000;
/** What is written in this time goes together. */
const TOGETHER_MS = 250;
/** What is kept for that: of more than this, the oldest count as arrived at once. */
const MOST_STANZAS = 2000;
const MOST_BYTES = 4_194_304;

/**
 * What was written to a server that acknowledges nothing. Nobody knows what of it arrives. It is kept for a moment all the
 * same: where the stream ends meanwhile, the other side has died, and has it only where it was quick.
 */
export class Presumption {
  readonly #backlog: Backlog;
  /** The number of the last stanza of several, and when the first of them was written. */
  readonly #written: { count: number; readonly at: number }[] = [];

  constructor(backlog: Backlog) {
    this.#backlog = backlog;
  }

  /** Something was written. */
  wrote(now: number): void {
    const { sent } = this.#backlog;
    const last = this.#written.at(-1);
    if (last !== undefined && now - last.at < TOGETHER_MS) last.count = sent.count;
    else this.#written.push({ count: sent.count, at: now });
    let { written } = sent;
    let bytes = sent.bytes - sent.unwrittenBytes;
    for (const { length } of sent.all) {
      if (written <= MOST_STANZAS && bytes <= MOST_BYTES) break;
      written--;
      bytes -= length;
    }
    if (written < sent.written) this.#backlog.acknowledge(serialAdd(sent.count, -written));
  }

  /** Called every second or so, while nothing waits to be read by the other side. */
  tick(now: number): void {
    let arrived: number | undefined;
    while (this.#written[0] !== undefined && now - this.#written[0].at >= ARRIVED_MS + TOGETHER_MS)
      arrived = this.#written.shift()?.count;
    if (arrived !== undefined) this.#backlog.acknowledge(arrived);
  }

  /** The other side has closed its part after ours: it has read everything. */
  all(): void {
    this.#written.length = 0;
    this.#backlog.acknowledge(this.#backlog.sent.count);
  }
}
