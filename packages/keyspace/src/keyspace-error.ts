/**
 * Why the keyspace could not do something:
 * - `away`: it cannot be reached now, or its server is loading or failing over; later it may work again;
 * - `slow`: no answer within the deadline, or so much waits already that nothing more is taken;
 * - `full`: its memory or its disk is full;
 * - `read-only`: it takes reads alone (a replica, a disk that cannot be written);
 * - `refused`: an operator has to act: wrong password, missing rights, a version too old, a directory in use;
 * - `damaged`: what is stored cannot be read;
 * - `misuse`: the command cannot work on this key or with these arguments, which is a fault of the program;
 * - `closed`: `close()` was called.
 */
export type KeyspaceFailure = 'away' | 'slow' | 'full' | 'read-only' | 'refused' | 'damaged' | 'misuse' | 'closed';

/** What became of the command: `not-executed` promises that it changed nothing and never will; `unknown` may be both. */
export type Outcome = 'not-executed' | 'unknown';

export class KeyspaceError extends Error {
  override readonly name = 'KeyspaceError';
  readonly failure: KeyspaceFailure;
  readonly outcome: Outcome;
  /** Of a batch that failed in part: what each command replied, a KeyspaceError for those that failed. */
  readonly replies: readonly unknown[] | undefined;

  constructor(
    failure: KeyspaceFailure,
    message: string,
    options: { outcome?: Outcome; replies?: readonly unknown[]; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.failure = failure;
    this.outcome = options.outcome ?? 'not-executed';
    this.replies = options.replies;
  }
}
