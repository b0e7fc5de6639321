import type { OwnedSession } from './owned-session.ts';

export interface OwnOperation {
  /** Sends it, fenced by the epoch. */
  readonly send: (epoch: number, reply: (reply: 'done' | 'fenced') => void) => void;
  readonly done: () => void;
  /** Whether the journal shows that it was carried out. */
  readonly isAnswered?: () => boolean;
}

interface Queued extends OwnOperation {
  flying: boolean;
}

/** What a session changes of its own account, in order, each under the session's own epoch and none after its end. */
export class OwnOperations {
  readonly #session: OwnedSession;
  #queue: Queued[] = [];

  constructor(session: OwnedSession) {
    this.#session = session;
  }

  get idle(): boolean {
    return this.#queue.length === 0;
  }

  push(operation: OwnOperation): void {
    this.#queue.push({ ...operation, flying: false });
    this.pump();
  }

  pump(): void {
    const { shard, closed, resyncing } = this.#session;
    if (closed || resyncing || !shard.settling.over) return;
    for (const operation of [...this.#queue]) {
      if (operation.flying) continue;
      if (operation.isAnswered?.()) {
        this.#replied(operation, 'done');
        continue;
      }
      operation.flying = true;
      operation.send(this.#session.epoch, (reply) => this.#replied(operation, reply));
    }
  }

  #replied(operation: Queued, reply: 'done' | 'fenced'): void {
    if (this.#session.closed) return;
    if (reply === 'fenced') {
      operation.flying = false;
      this.#session.reclaim();
      return;
    }
    this.#queue = this.#queue.filter((other) => other !== operation);
    operation.done();
  }

  /** The epoch changed, or replies were lost: whatever has no reply is sent again. */
  sendAgain(): void {
    for (const operation of this.#queue) operation.flying = false;
  }

  /** The session is no longer this node's: its next owner does what remains. */
  drop(): void {
    this.#queue = [];
  }
}
