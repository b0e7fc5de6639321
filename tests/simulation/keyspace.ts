import type { Bus, LinkEvent } from '@parley/keyspace/bus';
import { type Command, isRead, type ReplyTo } from '@parley/keyspace/command';
import { Commanding } from '@parley/keyspace/commanding';
import type { Argument, BatchOptions, Keyspace, Replies, StateListener } from '@parley/keyspace/keyspace';
import type { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Operation } from '@parley/keyspace/operation';
import type { SimulatedLink } from './link.ts';
import type { SimulatedStore } from './store.ts';

/** The shared keyspace, as one node sees it over its link. */
export class SimulatedKeyspace extends Commanding implements Keyspace {
  readonly #link: SimulatedLink;
  readonly #store: SimulatedStore;

  constructor(link: SimulatedLink, store: SimulatedStore) {
    super();
    this.#link = link;
    this.#store = store;
  }

  get state() {
    return this.#link.trouble.state;
  }

  get trouble(): KeyspaceError | undefined {
    return this.#link.trouble.reason;
  }

  onState(listener: StateListener): () => void {
    return this.#link.trouble.listen(listener);
  }

  batch<const List extends readonly Command[]>(list: List, options: BatchOptions): Promise<Replies<List>> {
    const read = list.every(([name]) => isRead(name));
    return this.#link.ask('batch', read, () => this.#store.keyspace.batch(list, options));
  }

  call<Result>(operation: Operation<Result>, keys: readonly string[], args: readonly Argument[] = []): Promise<Result> {
    return this.#link.ask(`${operation.name} ${keys.join(' ')}`, false, () =>
      this.#store.keyspace.call(operation, keys, args),
    );
  }

  forAccount(): Keyspace {
    return this;
  }

  now(): Promise<number> {
    return this.#link.ask('now', true, () => this.#store.keyspace.now());
  }

  close(): Promise<void> {
    this.#link.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  protected execute<C extends Command>(command: C): Promise<ReplyTo<C>> {
    const run = async () => (await this.#store.keyspace.batch([command], { atomic: false }))[0];
    return this.#link.ask(`${command[0]} ${command[1]}`, isRead(command[0]), run) as Promise<ReplyTo<C>>;
  }
}

/** Frames between nodes, over the same link; `*` is everybody. */
export class SimulatedBus implements Bus {
  readonly #link: SimulatedLink;
  readonly #store: SimulatedStore;

  constructor(link: SimulatedLink, store: SimulatedStore) {
    this.#link = link;
    this.#store = store;
  }

  publish(node: string, frame: Buffer): Promise<number> {
    return this.#link.ask('publish', false, () => Promise.resolve(this.#store.publish(node, frame)));
  }

  onPush(callback: (frame: Buffer) => void): () => void {
    return this.#link.onFrame(callback);
  }

  onLink(callback: (event: LinkEvent) => void): () => void {
    const stop = this.#link.onLink(callback);
    let wanted = this.#link.trouble.state === 'up';
    queueMicrotask(() => wanted && callback('up'));
    return () => {
      wanted = false;
      stop();
    };
  }

  reconnect(reason: string): void {
    this.#link.reconnect(reason);
  }
}
