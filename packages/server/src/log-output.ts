import { write, writeSync } from 'node:fs';

// What may wait for a reader that is slow, or for a disk that is full; beyond it lines are dropped and counted.
const MOST_WAITING_BYTES = 8_388_608;
const LARGEST_WRITE = 65_536;
const RETRY_MILLISECONDS = 250;

/**
 * Writes lines to a descriptor without ever making the node wait. When it cannot be written to, the lines wait for
 * the next try; a full disk or a reader that is gone ends neither the node nor its shutdown.
 */
export class LogOutput {
  readonly #descriptor: number;
  readonly #most: number;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #writing = false;
  #dropped = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(descriptor = 1, most = MOST_WAITING_BYTES) {
    this.#descriptor = descriptor;
    this.#most = most;
  }

  /** Lines dropped because too much waited. */
  get dropped(): number {
    return this.#dropped;
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#bytes + bytes.length > this.#most) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    if (!this.#writing && this.#retry === undefined) this.#next();
  }

  /** Writes out what waits and returns when that is done or has failed once; for the end of the process. */
  flush(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    while (this.#waiting.length > 0) {
      const batch = this.#batch();
      try {
        this.#written(batch, writeSync(this.#descriptor, batch));
      } catch {
        // The log itself cannot be written, and nowhere else is left to say so.
        this.#waiting.unshift(batch);
        return;
      }
    }
  }

  #next(): void {
    if (this.#bytes === 0) return;
    this.#writing = true;
    const batch = this.#batch();
    write(this.#descriptor, batch, (error, count) => {
      this.#writing = false;
      if (error === null) {
        this.#written(batch, count);
        this.#next();
      } else {
        this.#waiting.unshift(batch);
        this.#retry = setTimeout(() => {
          this.#retry = undefined;
          this.#next();
        }, RETRY_MILLISECONDS).unref();
      }
    });
  }

  /** Takes the next lines; their bytes still count as waiting until they are written. */
  #batch(): Buffer {
    let size = 0;
    let lines = 0;
    for (const line of this.#waiting) {
      if (lines > 0 && size + line.length > LARGEST_WRITE) break;
      size += line.length;
      lines++;
    }
    return Buffer.concat(this.#waiting.splice(0, lines), size);
  }

  #written(batch: Buffer, count: number): void {
    this.#bytes -= count;
    if (count < batch.length) this.#waiting.unshift(batch.subarray(count));
  }
}
