import type { Batch } from './batch.ts';
import { ByteWriter } from './byte-writer.ts';
import type { Log } from './log.ts';
import type { Memory } from './memory.ts';
import { writeStored } from './stored-value.ts';
import type { ToWriter } from './writer-message.ts';

const SLICE_BYTES = 256 * 1024;
const SLICE_MILLISECONDS = 4;

export interface SnapshotOptions {
  memory: Memory;
  log: Log;
  post(message: ToWriter, transfer?: ArrayBuffer[]): void;
  /** A snapshot is taken after so many milliseconds or so many bytes of log. */
  milliseconds: number;
  bytes: number;
}

/**
 * Keeps the log short. The values of all keys that changed since the last snapshot are stored, in slices between which
 * the event loop turns; each is marked with the row of the log that it holds already, so that values of different
 * moments may stand side by side. Then the log up to the first moment is removed.
 */
export class Snapshot {
  readonly #options: SnapshotOptions;
  readonly #writer = new ByteWriter();
  readonly #value = new ByteWriter();
  #dirty: Set<string>;
  #waiting = new Set<string>();
  #inFlight: string[] = [];
  #running = false;
  #upTo = 0;
  #bytes = 0;
  #last = performance.now();
  /** Those who wait for the end of a snapshot that has not begun yet, and of the one that runs. */
  #next: (() => void)[] = [];
  #current: (() => void)[] = [];

  constructor(dirty: Set<string>, options: SnapshotOptions) {
    this.#dirty = dirty;
    this.#options = options;
  }

  /** A row was handed to the disk. */
  add(batch: Batch): void {
    for (const key of batch.keys) this.#dirty.add(key);
    this.#bytes += batch.bytes;
    if (this.#bytes >= this.#options.bytes) this.begin();
  }

  /** Begins where it is time. */
  tick(): void {
    if (performance.now() - this.#last >= this.#options.milliseconds) this.begin();
  }

  begin(): void {
    if (this.#running || this.#dirty.size === 0) return;
    this.#running = true;
    setImmediate(() => this.#start());
  }

  /** Takes a snapshot of everything that has changed until now, and calls when its end was posted. */
  whole(done: () => void): void {
    this.#next.push(done);
    if (this.#running) return; // the next one begins when this one ends
    if (this.#dirty.size === 0) this.#end(this.#next.splice(0));
    else this.begin();
  }

  #end(waiting: (() => void)[]): void {
    for (const done of waiting) done();
  }

  /** A slice is on disk. */
  sliced(): void {
    this.#inFlight = [];
    if (this.#waiting.size > 0) {
      setImmediate(() => this.#slice());
      return;
    }
    this.#options.post({ type: 'truncate', generation: this.#options.log.generation, upTo: this.#upTo });
    this.#running = false;
    this.#end(this.#current.splice(0));
    if (this.#next.length > 0) this.whole(() => {});
  }

  /** Nothing that is on its way will arrive. */
  abort(): void {
    for (const keys of [this.#waiting, this.#inFlight]) for (const key of keys) this.#dirty.add(key);
    this.#waiting = new Set();
    this.#inFlight = [];
    this.#running = false;
  }

  #start(): void {
    if (!this.#running) return;
    this.#options.log.flush();
    this.#upTo = this.#options.log.lastSeq;
    this.#waiting = this.#dirty;
    this.#dirty = new Set();
    this.#current = this.#next.splice(0);
    this.#bytes = 0;
    this.#last = performance.now();
    this.#slice();
  }

  #slice(): void {
    if (!this.#running) return;
    const { log, memory, post } = this.#options;
    // The values must not tell more than the log that is already on its way.
    log.flush();
    const end = performance.now() + SLICE_MILLISECONDS;
    for (const key of this.#waiting) {
      this.#waiting.delete(key);
      this.#inFlight.push(key);
      this.#write(key, memory.raw(key));
      if (this.#writer.length >= SLICE_BYTES || performance.now() >= end) break;
    }
    const values = this.#writer.take();
    post({ type: 'slice', generation: log.generation, seq: log.lastSeq, values }, [values]);
  }

  #write(key: string, state: ReturnType<Memory['raw']>): void {
    this.#writer.text(key);
    this.#writer.byte(state ? 1 : 0);
    if (!state) return;
    this.#value.clear();
    this.#value.varint(state.expiry);
    writeStored(this.#value, state.stored);
    this.#writer.varint(this.#value.length);
    this.#writer.raw(this.#value.written);
  }
}
