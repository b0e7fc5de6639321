import { type Command, isRead, type ReplyTo } from '../command.ts';
import { checkCommand, checkSamePartition, keysOf } from '../command-check.ts';
import { Commanding } from '../commanding.ts';
import { hashTag } from '../key.ts';
import type { Argument, BatchOptions, Keyspace, Replies, StateListener } from '../keyspace.ts';
import { KeyspaceError, type Outcome } from '../keyspace-error.ts';
import type { KeyspaceObserver } from '../observer.ts';
import type { Operation, Reply } from '../operation.ts';
import type { Trouble } from '../trouble.ts';
import type { Connection } from './connection.ts';
import type { DomainReplicas } from './domain-replicas.ts';
import { errorCode, toKeyspaceError } from './reply-error.ts';
import { scriptOf } from './script.ts';
import { decodeReply, encodeCommand, isAnswer, type WireCommand } from './wire.ts';

export interface RedisKeyspaceParts {
  readonly connection: Connection;
  readonly trouble: Trouble;
  readonly observer: KeyspaceObserver;
  readonly domainReplicas: DomainReplicas;
}

/** What all views on one keyspace have in common. */
interface Shared extends RedisKeyspaceParts {
  readonly views: Map<number, RedisKeyspace>;
  closed?: Promise<void>;
}

/** The keyspace in Redis. */
export class RedisKeyspace extends Commanding implements Keyspace {
  readonly #shared: Shared;
  /** For how many replicas everything waits that comes this way; where undefined, its keys decide. */
  readonly #replicas: number | undefined;

  constructor(parts: RedisKeyspaceParts | Shared, replicas?: number) {
    super();
    this.#shared = 'views' in parts ? parts : { ...parts, views: new Map() };
    this.#replicas = replicas;
  }

  forAccount(bareJid: string): Keyspace {
    const { domainReplicas, views } = this.#shared;
    const replicas = domainReplicas.of(bareJid);
    if (replicas === undefined) return this;
    const view = views.get(replicas) ?? new RedisKeyspace(this.#shared, replicas);
    views.set(replicas, view);
    return view;
  }

  get state() {
    return this.#shared.trouble.state;
  }

  get trouble(): KeyspaceError | undefined {
    return this.#shared.trouble.reason;
  }

  onState(listener: StateListener): () => void {
    return this.#shared.trouble.listen(listener);
  }

  batch<const List extends readonly Command[]>(list: List, { atomic }: BatchOptions): Promise<Replies<List>> {
    const read = (replies: readonly unknown[]) => readReplies(list, replies);
    const prepare = () => {
      for (const command of list) checkCommand(command);
      if (atomic) checkSamePartition('batch', list.flatMap(keysOf));
      return list.map(encodeCommand);
    };
    const lane = laneOf(list.slice(0, 1));
    if (list.length > 0 && (atomic || list.every((command) => laneOf([command]) === lane))) {
      return this.#issue('batch', prepare, list, lane, atomic, read) as Promise<Replies<List>>;
    }
    return this.#measure('batch', async () => {
      if (list.length === 0) return [];
      const all = prepare().map((command, index) => {
        const single = list.slice(index, index + 1);
        return this.#request([command], laneOf(single), this.#replicasOf(single), false);
      });
      return read((await Promise.all(all)).flat());
    }) as Promise<Replies<List>>;
  }

  call<Result>(operation: Operation<Result>, keys: readonly string[], args: readonly Argument[] = []): Promise<Result> {
    return this.#measure(operation.name, async () => {
      checkSamePartition(operation.name, keys);
      const script = scriptOf(operation);
      const rest = [String(keys.length), ...keys, ...args.map((arg) => (typeof arg === 'number' ? String(arg) : arg))];
      const lane = hashTag(keys[0] ?? '');
      const replicas = this.#replicas ?? this.#shared.domainReplicas.ofKeys(keys);
      const inFull: WireCommand = { name: 'EVAL', args: [script.text, ...rest] };
      const byName: WireCommand = { name: 'EVALSHA', args: [script.sha, ...rest] };
      const first = this.#shared.connection.knows(lane, script.sha, replicas) ? byName : inFull;
      let [reply] = await this.#request([first], lane, replicas, false);
      // Somebody emptied Redis's cache of scripts. Nothing was executed, so it is sent again, now in full.
      if (reply instanceof Error && errorCode(reply) === 'NOSCRIPT')
        [reply] = await this.#request([inFull], lane, replicas, false);
      if (reply instanceof KeyspaceError) throw reply;
      if (reply instanceof Error) throw toKeyspaceError(operation.name, reply, false, 'unknown');
      return operation.result(reply as Reply);
    });
  }

  now(): Promise<number> {
    return this.#measure('now', async () => {
      const [reply] = await this.#request([{ name: 'TIME', args: [] }], '', undefined, false);
      if (reply instanceof Error) throw toKeyspaceError('now', reply, true, 'not-executed');
      const [seconds, microseconds] = reply as [Buffer, Buffer];
      return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    });
  }

  answered(): Promise<void> {
    return this.#measure('answered', async () => {
      const asked = this.#shared.connection.ways.map(async ({ lane, replicas }) => {
        const [reply] = await this.#request([{ name: 'PING', args: [] }], lane, replicas, false);
        if (reply instanceof Error) throw toKeyspaceError('answered', reply, true, 'not-executed');
      });
      await Promise.all(asked);
    });
  }

  close(): Promise<void> {
    this.#shared.closed ??= this.#shared.connection.close();
    return this.#shared.closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A frame for a node, in order with the commands. */
  publish(channel: string, frame: Buffer, name: 'PUBLISH' | 'SPUBLISH'): Promise<number> {
    const prepare = () => [{ name, args: [channel, frame] }];
    return this.#issue('publish', prepare, [], channel, false, ([reply]) => {
      if (reply instanceof KeyspaceError) throw reply;
      if (reply instanceof Error) throw toKeyspaceError('publish', reply, false, 'not-executed');
      return reply as number;
    });
  }

  protected execute<C extends Command>(command: C): Promise<ReplyTo<C>> {
    const prepare = () => {
      checkCommand(command);
      return [encodeCommand(command)];
    };
    const list = [command];
    return this.#issue(command[0], prepare, list, laneOf(list), false, ([reply]) => {
      const answer = readReply(command, reply);
      if (answer instanceof KeyspaceError) throw answer;
      return answer as ReplyTo<C>;
    });
  }

  /** As `#measure`, for what is one request: it costs one promise. */
  #issue<Result>(
    name: string,
    prepare: () => WireCommand[],
    list: readonly Command[],
    lane: string,
    atomic: boolean,
    read: (replies: readonly unknown[]) => Result,
  ): Promise<Result> {
    const { closed, connection, observer } = this.#shared;
    const { command } = observer;
    const began = performance.now();
    const answered = observer.issued?.(name);
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown) => {
        const error = asKeyspaceError(name, cause);
        command?.(name, performance.now() - began, error.failure);
        answered?.(error.failure);
        reject(error);
      };
      const answer = (replies: unknown[]) => {
        try {
          resolve(read(replies));
        } catch (error) {
          return fail(error);
        }
        command?.(name, performance.now() - began, undefined);
        answered?.(undefined);
      };
      try {
        if (closed) throw new KeyspaceError('closed', 'The keyspace was closed');
        connection.submit({ commands: prepare(), lane, replicas: this.#replicasOf(list), atomic, answer });
      } catch (error) {
        fail(error);
      }
    });
  }

  async #measure<Result>(name: string, body: () => Promise<Result>): Promise<Result> {
    const { observer } = this.#shared;
    const { command } = observer;
    const began = performance.now();
    const answered = observer.issued?.(name);
    try {
      const result = await body();
      command?.(name, performance.now() - began, undefined);
      answered?.(undefined);
      return result;
    } catch (cause) {
      const error = asKeyspaceError(name, cause);
      command?.(name, performance.now() - began, error.failure);
      answered?.(error.failure);
      throw error;
    }
  }

  #request(commands: WireCommand[], lane: string, replicas: number | undefined, atomic: boolean): Promise<unknown[]> {
    return new Promise((answer) => {
      const { closed, connection } = this.#shared;
      if (closed) throw new KeyspaceError('closed', 'The keyspace was closed');
      connection.submit({ commands, lane, replicas, atomic, answer });
    });
  }

  #replicasOf(list: readonly Command[]): number | undefined {
    const { domainReplicas } = this.#shared;
    return domainReplicas.none ? undefined : (this.#replicas ?? domainReplicas.ofKeys(list.flatMap(keysOf)));
  }
}

/** Whatever else is thrown is a fault of the program. */
function asKeyspaceError(name: string, cause: unknown): KeyspaceError {
  if (cause instanceof KeyspaceError) return cause;
  const message = `${name}: ${cause instanceof Error ? cause.message : cause}`;
  return new KeyspaceError('misuse', message, { outcome: 'unknown', cause });
}

function laneOf([command]: readonly Command[]): string {
  return hashTag(command?.[1] ?? '');
}

function readReply(command: Command, reply: unknown): unknown {
  if (!(reply instanceof Error) || isAnswer(command, reply)) return decodeReply(command, reply);
  if (reply instanceof KeyspaceError) return isRead(command[0]) ? unseen(reply) : reply;
  return toKeyspaceError(command[0], reply, isRead(command[0]), 'not-executed');
}

function readReplies(list: readonly Command[], raw: readonly unknown[]): unknown[] {
  const replies = list.map((command, index) => readReply(command, raw[index]));
  const failed = replies.filter((reply) => reply instanceof KeyspaceError);
  const [first] = failed;
  if (!first) return replies;
  const unchanged = failed.length === list.length && failed.every(({ outcome }) => outcome === 'not-executed');
  const outcome: Outcome = unchanged ? 'not-executed' : 'unknown';
  throw new KeyspaceError(first.failure, first.message, { outcome, replies, cause: first });
}

/** A read changes nothing, whether it was executed or not. */
function unseen(error: KeyspaceError): KeyspaceError {
  return new KeyspaceError(error.failure, error.message, { cause: error });
}
