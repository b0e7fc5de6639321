import { KeyspaceError } from '../keyspace-error.ts';
import { Batch } from './batch.ts';
import { ByteWriter } from './byte-writer.ts';
import type { Journal } from './memory.ts';
import { RecordWriter } from './record.ts';

/** A turn that writes more than this is cut into several rows, between two commands. */
const ROW_BYTES = 1024 * 1024;

export interface LogOptions {
  /** The last row that is on disk. */
  last: number;
  /** Takes a row to the disk. `committed` or `fail` is called for it later. */
  append(generation: number, seq: number, row: ArrayBuffer): void;
  /** A row was handed over. */
  flushed(batch: Batch): void;
  /** Rows that wait for the disk may take up so many bytes. */
  maxPendingBytes: number;
}

/**
 * Writes down what changes and keeps every answer back until what it tells is committed. What cannot be committed is
 * taken back.
 */
export class Log implements Journal {
  readonly #options: LogOptions;
  readonly #writer = new ByteWriter();
  readonly record = new RecordWriter(this.#writer);
  /** Of the keys that changed and are not committed: the batch with their last change. */
  readonly #uncommitted = new Map<string, Batch>();
  /** On their way to the disk, the oldest first. */
  #pending: Batch[] = [];
  #pendingBytes = 0;
  #current: Batch | undefined;
  /** The newest batch that the running command saw or changed something of. */
  #seen: Batch | undefined;
  #lastKey: string | undefined;
  #committed: number;
  #generation = 0;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#committed = options.last;
  }

  /** The last row that was handed over. */
  get lastSeq(): number {
    return this.#committed + this.#pending.length;
  }

  get generation(): number {
    return this.#generation;
  }

  /** How long the oldest row has waited for the disk, in milliseconds. */
  get age(): number {
    return (this.#pending[0] ?? this.#current)?.age ?? 0;
  }

  get full(): boolean {
    return this.#pendingBytes + this.#writer.length > this.#options.maxPendingBytes;
  }

  /** A command begins. */
  begin(): void {
    this.#seen = undefined;
  }

  see(key: string): void {
    if (this.#uncommitted.size === 0) return;
    const batch = this.#uncommitted.get(key);
    if (batch && (!this.#seen || batch.seq > this.#seen.seq)) this.#seen = batch;
  }

  touch(key: string): void {
    const batch = this.#batch();
    this.#seen = batch;
    if (key === this.#lastKey) return;
    this.#lastKey = key;
    batch.keys.add(key);
    this.#uncommitted.set(key, batch);
  }

  undo(step: () => void): void {
    this.#batch().undo(step);
  }

  /** The command ended. Calls `commit` once all that it saw and did is committed, which may be at once. */
  end(commit: () => void, fail: (error: KeyspaceError) => void): void {
    if (this.#seen) {
      this.#seen.commands += 1;
      this.#seen.wait({ commit, fail });
    } else {
      commit();
    }
    if (this.#writer.length > ROW_BYTES) this.flush();
  }

  /** Hands over what was written since the last time. */
  flush(): void {
    const batch = this.#current;
    if (!batch) return;
    this.#current = undefined;
    this.#lastKey = undefined;
    batch.bytes = this.#writer.length;
    this.#pendingBytes += batch.bytes;
    this.#pending.push(batch);
    this.record.restart();
    this.#options.append(this.#generation, batch.seq, this.#writer.take());
    this.#options.flushed(batch);
  }

  /** Everything up to this row is on disk. */
  committed(seq: number): void {
    while (this.#committed < seq) {
      const batch = this.#pending.shift();
      if (!batch) return;
      this.#committed = batch.seq;
      this.#pendingBytes -= batch.bytes;
      for (const key of batch.keys) {
        if (this.#uncommitted.get(key) === batch) this.#uncommitted.delete(key);
      }
      batch.commit();
    }
  }

  /** What is not on disk will not be: the state goes back to what is. */
  fail(error: KeyspaceError): void {
    const lost = this.#current ? [...this.#pending, this.#current] : this.#pending;
    for (const batch of lost.toReversed()) batch.rollBack();
    this.#generation += 1;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#current = undefined;
    this.#lastKey = undefined;
    this.#seen = undefined;
    this.#uncommitted.clear();
    this.#writer.clear();
    this.record.restart();
    for (const batch of lost) batch.fail(error);
  }

  /** Answers those who have waited for longer than this, though the disk may still do it. */
  expire(milliseconds: number): void {
    for (const batch of this.#pending) {
      if (batch.age < milliseconds) return;
      batch.fail(new KeyspaceError('slow', 'The disk did not take a write in time', { outcome: 'unknown' }));
    }
  }

  #batch(): Batch {
    if (!this.#current) {
      this.#current = new Batch(this.lastSeq + 1);
      setImmediate(() => this.flush());
    }
    return this.#current;
  }
}
