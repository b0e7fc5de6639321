import type { KeyspaceError } from '../keyspace-error.ts';

export interface Waiter {
  commit(): void;
  fail(error: KeyspaceError): void;
}

/** What one turn of the event loop changed: it becomes one row of the log. */
export class Batch {
  readonly seq: number;
  readonly keys = new Set<string>();
  readonly #began = performance.now();
  #undo: (() => void)[] = [];
  #waiters: Waiter[] = [];
  commands = 0;
  bytes = 0;

  constructor(seq: number) {
    this.seq = seq;
  }

  get age(): number {
    return performance.now() - this.#began;
  }

  undo(step: () => void): void {
    this.#undo.push(step);
  }

  /** Whose answer depends on this batch. */
  wait(waiter: Waiter): void {
    this.#waiters.push(waiter);
  }

  commit(): void {
    this.#undo = [];
    for (const waiter of this.#waiters.splice(0)) waiter.commit();
  }

  /** Takes back what the batch changed, the newest change first. */
  rollBack(): void {
    for (const step of this.#undo.splice(0).reverse()) step();
  }

  /** Gives up waiting, whatever becomes of the batch. */
  fail(error: KeyspaceError): void {
    for (const waiter of this.#waiters.splice(0)) waiter.fail(error);
  }
}
