import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { KeyspaceError } from '../keyspace-error.ts';
import { ByteReader } from './byte-reader.ts';
import type { Memory } from './memory.ts';
import { replay } from './record.ts';
import { readStored } from './stored-value.ts';
import type { FromWriter, ToWriter, WriterSettings } from './writer-message.ts';

/** What was found on disk. */
export interface Loaded {
  /** The last row of the log. */
  last: number;
  /** Keys that rows of the log concern, and so the next snapshot. */
  dirty: Set<string>;
  warnings: string[];
}

/** The event loop's end of the thread that writes. */
export class Writer {
  readonly #worker: Worker;
  readonly #directory: string;
  #closing = false;

  constructor(settings: WriterSettings) {
    this.#directory = settings.directory;
    // Without the arguments of the process, some of which a thread does not take.
    const options = { workerData: settings, execArgv: [] };
    this.#worker = new Worker(new URL('./writer-thread.ts', import.meta.url), options);
  }

  /** Reads all that is stored into the memory. */
  async load(memory: Memory): Promise<Loaded> {
    try {
      return await this.#load(memory);
    } catch (error) {
      await this.#worker.terminate();
      const known = error instanceof KeyspaceError;
      if (known && error.failure !== 'misuse') throw error;
      // What does not fit together was read as it was written, or nothing was read at all.
      const unfit = known || error instanceof RangeError;
      const what = unfit ? 'is damaged' : 'cannot be opened';
      const message = `The data directory ${this.#directory} ${what}: ${(error as Error).message}`;
      throw new KeyspaceError(unfit ? 'damaged' : 'refused', message, { cause: error });
    }
  }

  async #load(memory: Memory): Promise<Loaded> {
    const newest = new Map<string, number>();
    const dirty = new Set<string>();
    for (;;) {
      this.post({ type: 'next' });
      const [message] = (await once(this.#worker, 'message')) as [FromWriter];
      if (message.type === 'refused') throw new KeyspaceError(message.failure, message.message);
      if (message.type === 'values') readValues(message.bytes, memory, newest);
      if (message.type === 'rows') readRows(message.bytes, memory, newest, dirty);
      if (message.type === 'loaded') return { last: message.last, warnings: message.warnings, dirty };
    }
  }

  /** `lost` is called where the thread ends by itself. */
  listen(receive: (message: FromWriter) => void, lost: (error: Error) => void): void {
    this.#worker.on('message', receive);
    this.#worker.on('error', lost);
    this.#worker.on('exit', () => {
      if (!this.#closing) lost(new Error('The thread that writes ended'));
    });
  }

  post(message: ToWriter, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /** Returns when everything that was posted is done and the file is closed. */
  async close(): Promise<void> {
    this.#closing = true;
    const exit = once(this.#worker, 'exit');
    this.post({ type: 'close' });
    await exit;
  }
}

function readValues(bytes: ArrayBuffer, memory: Memory, newest: Map<string, number>): void {
  const reader = new ByteReader(new Uint8Array(bytes));
  while (!reader.atEnd) {
    const key = reader.text();
    newest.set(key, reader.varint());
    const value = new ByteReader(reader.raw(reader.varint()));
    const expiry = value.varint();
    memory.put(key, readStored(value), expiry);
  }
}

function readRows(bytes: ArrayBuffer, memory: Memory, newest: Map<string, number>, dirty: Set<string>): void {
  const reader = new ByteReader(new Uint8Array(bytes));
  while (!reader.atEnd) {
    const seq = reader.varint();
    const row = new ByteReader(reader.raw(reader.varint()));
    replay(row, memory, (key) => {
      dirty.add(key);
      return (newest.get(key) ?? 0) >= seq;
    });
  }
}
