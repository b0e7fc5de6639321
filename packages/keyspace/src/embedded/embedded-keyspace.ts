import { type Command, isRead, type ReplyTo } from '../command.ts';
import { checkCommand, checkSamePartition, keysOf } from '../command-check.ts';
import { Commanding } from '../commanding.ts';
import type { Argument, BatchOptions, Keyspace, Replies, StateListener } from '../keyspace.ts';
import { KeyspaceError } from '../keyspace-error.ts';
import type { KeyspaceObserver } from '../observer.ts';
import { type BodyReply, type Operation, type Reply, toReply } from '../operation.ts';
import type { Trouble } from '../trouble.ts';
import type { EmbeddedBus } from './embedded-bus.ts';
import type { Memory } from './memory.ts';
import { MemoryCommands } from './memory-commands.ts';
import { MemoryView } from './memory-view.ts';

/** What keeps the state on disk. Without one it is in memory alone. */
export interface Persistence {
  /** Throws what keeps a write from being taken now. */
  admit(): void;
  begin(): void;
  end(commit: () => void, fail: (error: KeyspaceError) => void): void;
  copyTo(file: string): Promise<void>;
  scrub(): Promise<void>;
  close(): Promise<void>;
}

export interface EmbeddedParts {
  memory: Memory;
  bus: EmbeddedBus;
  trouble: Trouble;
  observer: KeyspaceObserver;
  persistence: Persistence | undefined;
}

const EXPIRED_PER_TURN = 2000;

/** The keyspace inside this process. Commands are carried out when they are issued. */
export class EmbeddedKeyspace extends Commanding implements Keyspace {
  readonly #parts: EmbeddedParts;
  readonly #commands: MemoryCommands;
  readonly #sweep: NodeJS.Timeout;
  #closed: Promise<void> | undefined;

  constructor(parts: EmbeddedParts) {
    super();
    this.#parts = parts;
    this.#commands = new MemoryCommands(parts.memory);
    this.#sweep = setInterval(() => {
      if (this.state === 'up') parts.memory.removeExpired(EXPIRED_PER_TURN);
    }, 1000);
    this.#sweep.unref();
  }

  /** What is on disk; undefined where it is in memory alone. */
  get onDisk(): Pick<Persistence, 'copyTo' | 'scrub'> | undefined {
    return this.#parts.persistence;
  }

  /** How many keys there are. */
  get size(): number {
    return this.#parts.memory.size;
  }

  get state() {
    return this.#parts.trouble.state;
  }

  get trouble(): KeyspaceError | undefined {
    return this.#parts.trouble.reason;
  }

  onState(listener: StateListener): () => void {
    return this.#parts.trouble.listen(listener);
  }

  batch<const List extends readonly Command[]>(list: List, { atomic }: BatchOptions): Promise<Replies<List>> {
    const body = () => {
      for (const command of list) checkCommand(command);
      if (atomic && list.length > 0) checkSamePartition('batch', list.flatMap(keysOf));
      return this.#all(list);
    };
    const read = list.every(([name]) => isRead(name));
    return this.#run('batch', read, body) as Promise<Replies<List>>;
  }

  call<Result>(operation: Operation<Result>, keys: readonly string[], args: readonly Argument[] = []): Promise<Result> {
    const frames: [node: string, frame: Buffer][] = [];
    const body = () => {
      checkSamePartition(operation.name, keys);
      const view = new MemoryView(this.#parts.memory, (...frame) => frames.push(frame));
      const bytes = args.map((arg) => (Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg))));
      return operation.result(replyOf(operation, () => operation.js(view, keys, bytes)));
    };
    return this.#run(operation.name, false, body, () => {
      for (const frame of frames) queueMicrotask(() => void this.#parts.bus.publish(...frame));
    });
  }

  /** One process, one disk: all accounts are kept alike. */
  forAccount(): Keyspace {
    return this;
  }

  now(): Promise<number> {
    return this.#closed ? Promise.reject(closed()) : Promise.resolve(this.#parts.memory.now());
  }

  async answered(): Promise<void> {
    await this.now();
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected execute<C extends Command>(command: C): Promise<ReplyTo<C>> {
    return this.#run(command[0], isRead(command[0]), () => {
      checkCommand(command);
      return this.#one(command) as ReplyTo<C>;
    });
  }

  async #close(): Promise<void> {
    clearInterval(this.#sweep);
    await this.#parts.persistence?.close();
  }

  /** Runs a body now. The promise waits until what the body saw and did is committed. */
  #run<Result>(
    name: string,
    read: boolean,
    body: () => Result | KeyspaceError,
    committed?: () => void,
  ): Promise<Result> {
    const { persistence, observer } = this.#parts;
    const began = observer.command ? performance.now() : 0;
    const answered = observer.issued?.(name);
    return new Promise((resolve, reject) => {
      const fail = (error: KeyspaceError) => {
        observer.command?.(name, performance.now() - began, error.failure);
        answered?.(error.failure);
        reject(error);
      };
      try {
        if (this.#closed) throw closed();
        if (!read) persistence?.admit();
        persistence?.begin();
        const result = body();
        const commit = () => {
          committed?.();
          if (result instanceof KeyspaceError) return fail(result);
          observer.command?.(name, performance.now() - began, undefined);
          answered?.(undefined);
          resolve(result);
        };
        if (persistence) persistence.end(commit, (error) => fail(read ? unseen(error) : error));
        else commit();
      } catch (error) {
        fail(asKeyspaceError(name, error));
      }
    });
  }

  #one(command: Command): unknown {
    const [name, ...args] = command;
    return (this.#commands[name] as (...args: unknown[]) => unknown)(...args);
  }

  #all(list: readonly Command[]): unknown[] | KeyspaceError {
    let first: KeyspaceError | undefined;
    const replies = list.map((command) => {
      try {
        return this.#one(command);
      } catch (error) {
        const failed = asKeyspaceError(command[0], error);
        first ??= failed;
        return failed;
      }
    });
    if (!first) return replies;
    const outcome = replies.every((reply) => reply instanceof KeyspaceError) ? first.outcome : 'unknown';
    return new KeyspaceError(first.failure, first.message, { outcome, replies, cause: first });
  }
}

/** Whatever a body throws may come after it changed something. */
function replyOf(operation: Operation<unknown>, body: () => BodyReply): Reply {
  try {
    return toReply(operation.name, body());
  } catch (cause) {
    const message = `${operation.name}: ${cause instanceof Error ? cause.message : cause}`;
    throw new KeyspaceError('misuse', message, { outcome: 'unknown', cause });
  }
}

/** Whatever else is thrown, by what reads a result for instance, is a fault of the program. */
function asKeyspaceError(name: string, cause: unknown): KeyspaceError {
  if (cause instanceof KeyspaceError) return cause;
  const message = `${name}: ${cause instanceof Error ? cause.message : cause}`;
  return new KeyspaceError('misuse', message, { outcome: 'unknown', cause });
}

function closed(): KeyspaceError {
  return new KeyspaceError('closed', 'The keyspace was closed');
}

/** A read changed nothing, whatever became of what it saw. */
function unseen(error: KeyspaceError): KeyspaceError {
  return new KeyspaceError(error.failure, error.message, { outcome: 'not-executed', cause: error });
}
