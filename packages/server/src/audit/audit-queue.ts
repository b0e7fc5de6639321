/** Where lines go. It is given a first part of those that wait, and one such part at a time. */
export interface Sink {
  /** `done` says how many bytes it took, counted from the first; an error where it could not take more. */
  send(lines: readonly Buffer[], done: (error: Error | undefined, bytes: number) => void): void;
  /** Takes them while the process waits, where it can: for a process that dies. Throws where it does not work. */
  sendAtOnce?(lines: readonly Buffer[]): void;
  /** Begin anew, as with another file of the same name. */
  reopen?(): void;
  close(): void;
}

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;
const LARGEST_BATCH = 65_536;

export interface AuditQueueOptions {
  readonly sink: Sink;
  /** What may wait; beyond it lines are dropped and counted. */
  readonly mostBytes: number;
  /** It cannot be written, or can be again. Each is told once. */
  onTrouble(error: Error | undefined): void;
}

/** Lines on their way out. Nobody ever waits for them. */
export class AuditQueue {
  readonly #options: AuditQueueOptions;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #dropped = 0;
  #sending = false;
  /** Lines that the sink has been given. */
  #underWay = 0;
  #closed = false;
  #troubled = false;
  #retryMs = FIRST_RETRY_MS;
  #retry: NodeJS.Timeout | undefined;
  #empty: (() => void)[] = [];

  constructor(options: AuditQueueOptions) {
    this.#options = options;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  write(line: Buffer): void {
    if (this.#closed || this.#bytes + line.length > this.#options.mostBytes) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(line);
    this.#bytes += line.length;
    if (!this.#sending && this.#retry === undefined) this.#send();
  }

  /** The file has another place now, or the connection is to be made anew. */
  reopen(): void {
    this.#options.sink.reopen?.();
    if (this.#retry === undefined) return;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#send();
  }

  /** Writes what waits before the process dies, where that is possible at once. */
  flush(): void {
    try {
      this.#options.sink.sendAtOnce?.(this.#waiting.slice(this.#underWay)); // what is under way the system has
    } catch {
      // nobody is left to whom it could be told
    }
  }

  /** Lets go, when all is written or the time is over; what is left then is dropped. */
  async close(milliseconds: number): Promise<void> {
    if (this.#bytes > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#empty.push(resolve);
      const over = setTimeout(resolve, milliseconds);
      await promise;
      clearTimeout(over);
    }
    this.#closed = true;
    this.#dropped += this.#waiting.length;
    clearTimeout(this.#retry);
    this.#options.sink.close();
  }

  #send(): void {
    if (this.#closed || this.#waiting.length === 0) return;
    const batch = this.#batch();
    this.#sending = true;
    this.#underWay = batch.length;
    this.#options.sink.send(batch, (error, bytes) => {
      this.#sending = false;
      this.#underWay = 0;
      this.#taken(bytes);
      if (error === undefined) this.#works();
      else this.#fails(error);
    });
  }

  #batch(): readonly Buffer[] {
    let size = 0;
    let count = 0;
    for (const line of this.#waiting) {
      if (count > 0 && size + line.length > LARGEST_BATCH) break;
      size += line.length;
      count++;
    }
    return this.#waiting.slice(0, count);
  }

  #taken(bytes: number): void {
    this.#bytes -= bytes;
    let left = bytes;
    let whole = 0;
    for (const line of this.#waiting) {
      if (line.length > left) break;
      left -= line.length;
      whole++;
    }
    this.#waiting.splice(0, whole);
    const [first] = this.#waiting;
    if (left > 0 && first !== undefined) this.#waiting[0] = first.subarray(left);
    if (this.#waiting.length === 0) for (const done of this.#empty.splice(0)) done();
  }

  #works(): void {
    this.#retryMs = FIRST_RETRY_MS;
    if (this.#troubled && !this.#closed) {
      this.#troubled = false;
      this.#options.onTrouble(undefined);
    }
    if (!this.#sending) this.#send(); // whoever was told may have written
  }

  #fails(error: Error): void {
    if (this.#closed) return;
    if (!this.#troubled) {
      this.#troubled = true;
      this.#options.onTrouble(error);
    }
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#send();
    }, this.#retryMs).unref();
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }
}
