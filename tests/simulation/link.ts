import type { Node } from './node.ts';
import type { Push, Shard } from './shard.ts';

/** An operation of the store: executed whole, with nothing in between. */
export type Operation<Request, Reply> = (shard: Shard, request: Request) => Reply;

/**
 * The connection of a node to a shard. Commands are executed in order, some time after they were sent; replies and
 * pushes come back in order of execution, in one queue or, where the store promises no more, in two.
 */
export class Link {
  readonly node: Node;
  readonly shard: Shard;
  readonly #twoQueues: boolean;
  /** Each executes the command, and says what to do with its reply. */
  readonly #commands: (() => () => void)[] = [];
  readonly #replies: (Push | (() => void))[] = [];
  readonly #pushes: Push[] = [];
  /** False once it was lost: nothing comes back, but commands that had been written may still be executed. */
  open = true;

  constructor(node: Node, shard: Shard, twoQueues: boolean) {
    this.node = node;
    this.shard = shard;
    this.#twoQueues = twoQueues;
  }

  send<Request, Reply>(operation: Operation<Request, Reply>, request: Request, done: (reply: Reply) => void): void {
    this.#commands.push(() => {
      const reply = operation(this.shard, request);
      return () => done(reply);
    });
  }

  get hasCommands(): boolean {
    return this.#commands.length > 0;
  }

  get idle(): boolean {
    return this.#commands.length + this.#replies.length + this.#pushes.length === 0;
  }

  get hasReplies(): boolean {
    return this.#replies.length > 0;
  }

  get hasPushes(): boolean {
    return this.#pushes.length > 0;
  }

  execute(): void {
    const command = this.#commands.shift();
    if (command === undefined) return;
    this.shard.remember(this);
    const reply = command();
    if (this.open) this.#replies.push(reply);
  }

  push(push: Push): void {
    (this.#twoQueues ? this.#pushes : this.#replies).push(push);
  }

  /** Takes what came next out of the queue of replies, which holds the pushes too where there is only one. */
  nextReply(): Push | (() => void) | undefined {
    return this.#replies.shift();
  }

  nextPush(): Push | undefined {
    return this.#pushes.shift();
  }

  /** Nothing comes back any more. */
  lose(): void {
    this.open = false;
    this.#replies.length = 0;
    this.#pushes.length = 0;
  }

  /** What was written and not executed never will be. */
  forget(): void {
    this.#commands.length = 0;
  }
}
