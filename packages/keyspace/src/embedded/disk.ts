import { KeyspaceError } from '../keyspace-error.ts';
import type { KeyspaceObserver } from '../observer.ts';
import type { Trouble } from '../trouble.ts';
import type { Persistence } from './embedded-keyspace.ts';
import { Log } from './log.ts';
import type { Memory } from './memory.ts';
import { Snapshot } from './snapshot.ts';
import type { Loaded, Writer } from './writer.ts';
import type { FromWriter } from './writer-message.ts';

export interface DiskOptions {
  memory: Memory;
  writer: Pick<Writer, 'post' | 'listen' | 'close'>;
  loaded: Loaded;
  trouble: Trouble;
  observer: KeyspaceObserver;
  deadline: number;
  maxPendingBytes: number;
  snapshotMilliseconds: number;
  snapshotBytes: number;
}

/** Keeps what is in memory on disk: the log, its snapshots, and what happens when the disk fails. */
export class Disk implements Persistence {
  readonly #options: DiskOptions;
  readonly #log: Log;
  readonly #snapshot: Snapshot;
  readonly #timer: NodeJS.Timeout;
  #lost = false;
  /** Those who wait for a copy, in their order. */
  #copies: PromiseWithResolvers<void>[] = [];
  #scrubs: PromiseWithResolvers<void>[] = [];

  constructor(options: DiskOptions) {
    const { memory, writer, loaded, observer } = options;
    this.#options = options;
    this.#log = new Log({
      last: loaded.last,
      maxPendingBytes: options.maxPendingBytes,
      append: (generation, seq, row) => writer.post({ type: 'append', generation, seq, row }, [row]),
      flushed: (batch) => {
        observer.flush?.(batch.commands, batch.bytes);
        this.#snapshot.add(batch);
      },
    });
    this.#snapshot = new Snapshot(loaded.dirty, {
      memory,
      log: this.#log,
      post: (message, transfer) => writer.post(message, transfer),
      milliseconds: options.snapshotMilliseconds,
      bytes: options.snapshotBytes,
    });
    memory.attach(this.#log);
    writer.listen(
      (message) => this.#receive(message),
      (error) => this.#lose(error),
    );
    this.#timer = setInterval(() => this.#tick(), 500);
    this.#timer.unref();
  }

  admit(): void {
    const { reason } = this.#options.trouble;
    if (reason) throw new KeyspaceError(reason.failure, reason.message);
    if (this.#log.full) throw new KeyspaceError('slow', 'The disk is slow, and too many writes wait for it already');
  }

  begin(): void {
    this.#log.begin();
  }

  end(commit: () => void, fail: (error: KeyspaceError) => void): void {
    this.#log.end(commit, fail);
  }

  /** Stores what changed, now. */
  snapshot(): void {
    this.#snapshot.begin();
  }

  /** How far the file may grow, in bytes; 0: as far as its disk allows. */
  limit(maxBytes: number): void {
    this.#options.writer.post({ type: 'limit', maxBytes });
  }

  /** Copies the file to another one as it is at some moment from now on; writes go on meanwhile. */
  copyTo(file: string): Promise<void> {
    const copy = Promise.withResolvers<void>();
    if (this.#lost) copy.reject(new KeyspaceError('away', 'Nothing can be written any more. Restart.'));
    else {
      this.#copies.push(copy);
      this.#log.flush();
      this.#options.writer.post({ type: 'copy', file });
    }
    return copy.promise;
  }

  /** Resolves when nothing is in the file any more of what was removed until now. */
  scrub(): Promise<void> {
    const scrub = Promise.withResolvers<void>();
    this.#scrubs.push(scrub);
    this.#log.flush();
    this.#snapshot.whole(() => this.#options.writer.post({ type: 'scrub' }));
    return scrub.promise;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#snapshot.abort();
    if (this.#lost) return;
    this.#log.flush();
    await this.#options.writer.close();
  }

  #receive(message: FromWriter): void {
    const { trouble, observer } = this.#options;
    switch (message.type) {
      case 'committed':
        this.#log.committed(message.seq);
        if (trouble.reason?.failure === 'slow') trouble.set(undefined);
        break;
      case 'sliced':
        this.#snapshot.sliced();
        break;
      case 'failed':
        this.#fail(new KeyspaceError(message.failure, message.message, { outcome: message.outcome }));
        break;
      case 'copied': {
        const copy = this.#copies.shift();
        if (message.failure === undefined) copy?.resolve();
        else copy?.reject(new KeyspaceError('away', `The data cannot be copied: ${message.failure}`));
        break;
      }
      case 'scrubbed':
        this.#scrubs.shift()?.resolve();
        break;
      case 'recovered':
        observer.warning?.('The data directory can be written again.');
        trouble.set(undefined);
        break;
    }
  }

  #fail(error: KeyspaceError): void {
    const { trouble, observer } = this.#options;
    observer.warning?.(error.message);
    this.#snapshot.abort();
    for (const scrub of this.#scrubs.splice(0)) scrub.reject(error);
    trouble.set(error);
    this.#log.fail(error);
  }

  #lose(cause: Error): void {
    if (this.#lost) return;
    this.#lost = true;
    for (const copy of this.#copies.splice(0)) copy.reject(new KeyspaceError('away', cause.message));
    const message = `Nothing can be written any more, since the thread that writes ended: ${cause.message}. Restart.`;
    this.#fail(new KeyspaceError('away', message, { outcome: 'unknown', cause }));
  }

  #tick(): void {
    const { trouble, deadline } = this.#options;
    if (trouble.state === 'up') this.#snapshot.tick();
    if (this.#log.age < deadline) return;
    this.#log.expire(deadline);
    if (trouble.state === 'up') trouble.set(new KeyspaceError('slow', 'The disk does not take writes in time'));
  }
}
