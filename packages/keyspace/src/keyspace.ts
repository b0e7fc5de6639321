import type { Command, CommandName, Commands, ReplyTo, Value } from './command.ts';
import type { KeyspaceError } from './keyspace-error.ts';
import type { Operation } from './operation.ts';

export type KeyspaceState = 'up' | 'down';

/** `down` comes with its reason. */
export type StateListener = (state: KeyspaceState, reason: KeyspaceError | undefined) => void;

export interface BatchOptions {
  /** True: nobody sees the state between two of the commands. All keys must then lie in one partition. */
  atomic: boolean;
}

/** The replies to a list of commands, in their order. */
export type Replies<List extends readonly Command[]> = { -readonly [Index in keyof List]: ReplyTo<List[Index]> };

/** What an operation takes; a number is handed over as decimal text. */
export type Argument = Value | number;

type Asynchronous = {
  [Name in CommandName]: (...args: Parameters<Commands[Name]>) => Promise<ReturnType<Commands[Name]>>;
};

/**
 * The state that nodes share.
 *
 * - A promise resolves when what it tells is committed: a write itself, and whatever a read saw. What was told
 *   survives the death of this process.
 * - Commands of one partition are executed in the order in which they were issued. Their promises may resolve in
 *   another order.
 * - Every failure is a KeyspaceError, and its `outcome` says whether a write may have been executed. Nothing is ever
 *   executed twice, nothing is sent again by itself, and no promise stays open: there is a deadline.
 */
export interface Keyspace extends Asynchronous, AsyncDisposable {
  /**
   * Several commands at once. Where some fail the others are executed all the same, and the promise rejects with the
   * first error, whose `replies` tell about each.
   */
  batch<const List extends readonly Command[]>(commands: List, options: BatchOptions): Promise<Replies<List>>;
  /** A named operation, atomically. All keys lie in one partition, and there is at least one. */
  call<Result>(operation: Operation<Result>, keys: readonly string[], args?: readonly Argument[]): Promise<Result>;
  /**
   * The same keyspace for what belongs to an account though its keys do not say so: it is kept as safely as that account's
   * domain wants it.
   */
  forAccount(bareJid: string): Keyspace;
  /** The keyspace's own clock, milliseconds since 1970. */
  now(): Promise<number>;
  /**
   * Resolves when every server that has some of it has answered, and so whatever one of them had lost by now is known
   * (see `LinkEvent`).
   */
  answered(): Promise<void>;
  /** While it is `down`, commands fail at once; where it can, it still answers reads. */
  readonly state: KeyspaceState;
  /** Why it is down. */
  readonly trouble: KeyspaceError | undefined;
  /** The returned function ends it. */
  onState(listener: StateListener): () => void;
  /** Commits what was issued, then lets go of everything. Later commands fail with `closed`. */
  close(): Promise<void>;
}
