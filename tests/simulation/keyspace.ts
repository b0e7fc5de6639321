import type { Bus, LinkEvent } from '@parley/keyspace/bus';
import { type Command, isRead, type ReplyTo } from '@parley/keyspace/command';
import { Commanding } from '@parley/keyspace/commanding';
import type { Argument, BatchOptions, Keyspace, Replies, StateListener } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Operation } from '@parley/keyspace/operation';
import type { SimulatedLink } from './link.ts';
import type { SimulatedLinks } from './links.ts';
import { type Shard, shardOf, shardOfChannel } from './shards.ts';
import type { SimulatedStore } from './store.ts';

/** The shared keyspace, as one node sees it over its links. */
export class SimulatedKeyspace extends Commanding implements Keyspace {
  readonly #links: SimulatedLinks;
  readonly #store: SimulatedStore;

  constructor(links: SimulatedLinks, store: SimulatedStore) {
    super();
    this.#links = links;
    this.#store = store;
  }

  get state() {
    return this.#links.trouble.state;
  }

  get trouble(): KeyspaceError | undefined {
    return this.#links.trouble.reason;
  }

  onState(listener: StateListener): () => void {
    return this.#links.trouble.listen(listener);
  }

  batch<const List extends readonly Command[]>(list: List, options: BatchOptions): Promise<Replies<List>> {
    const parts = Map.groupBy(list.entries(), ([, [, key]]) => this.#shardOf(key));
    if (parts.size < 2) return this.#batch(list[0]?.[1], list, options);
    return this.#together(list.length, [...parts.values()], options) as Promise<Replies<List>>;
  }

  #batch<const List extends readonly Command[]>(
    key: string | undefined,
    list: List,
    options: BatchOptions,
  ): Promise<Replies<List>> {
    const read = list.every(([name]) => isRead(name));
    return this.#ask(key, 'batch', read, () => this.#store.keyspace.batch(list, options));
  }

  /** Each shard has its part of a batch, which is done or not. */
  async #together(size: number, parts: [number, Command][][], options: BatchOptions): Promise<unknown[]> {
    const replies: unknown[] = Array(size).fill(undefined);
    const run = async (part: [number, Command][]) => {
      const list = part.map(([, command]) => command);
      const answers = await this.#batch(list[0]?.[1], list, options);
      for (const [place, [at]] of part.entries()) replies[at] = answers[place];
    };
    const failed = (await Promise.allSettled(parts.map(run))).find(({ status }) => status === 'rejected');
    if (failed === undefined) return replies;
    const { failure, message } = (failed as PromiseRejectedResult).reason as KeyspaceError;
    throw new KeyspaceError(failure, message, { outcome: 'unknown' });
  }

  call<Result>(operation: Operation<Result>, keys: readonly string[], args: readonly Argument[] = []): Promise<Result> {
    return this.#ask(keys[0], `${operation.name} ${keys.join(' ')}`, false, () =>
      this.#store.keyspace.call(operation, keys, args),
    );
  }

  forAccount(): Keyspace {
    return this;
  }

  now(): Promise<number> {
    return this.#ask(undefined, 'now', true, () => this.#store.keyspace.now());
  }

  async answered(): Promise<void> {
    await Promise.all(this.#links.all.map((link) => link.ask('answered', true, () => this.#store.keyspace.answered())));
  }

  close(): Promise<void> {
    this.#links.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected execute<C extends Command>(command: C): Promise<ReplyTo<C>> {
    const run = async () => (await this.#store.keyspace.batch([command], { atomic: false }))[0];
    return this.#ask(command[1], `${command[0]} ${command[1]}`, isRead(command[0]), run) as Promise<ReplyTo<C>>;
  }

  /** What belongs to no key is asked where what belongs to no account is. */
  #shardOf(key = '{global}'): Shard {
    return shardOf(key, this.#store.shards);
  }

  #ask<Result>(key: string | undefined, name: string, read: boolean, run: () => Promise<Result>): Promise<Result> {
    return (this.#links.all[this.#shardOf(key)] as SimulatedLink).ask(name, read, run);
  }
}

/** Frames between nodes, over the same links; `*` is everybody. */
export class SimulatedBus implements Bus {
  readonly #links: SimulatedLinks;
  readonly #store: SimulatedStore;

  constructor(links: SimulatedLinks, store: SimulatedStore) {
    this.#links = links;
    this.#store = store;
  }

  publish(node: string, frame: Buffer): Promise<number> {
    const link = this.#links.all[shardOfChannel(node, this.#store.shards)] as SimulatedLink;
    return link.ask('publish', false, () => Promise.resolve(this.#store.publish(node, frame)));
  }

  onPush(callback: (frame: Buffer) => void): () => void {
    return this.#links.onFrame(callback);
  }

  onLink(callback: (event: LinkEvent) => void): () => void {
    const stop = this.#links.onLink(callback);
    let wanted = this.#links.trouble.state === 'up';
    queueMicrotask(() => wanted && callback('up'));
    return () => {
      wanted = false;
      stop();
    };
  }

  reconnect(reason: string): void {
    this.#links.reconnect(reason);
  }
}
