import type { KeyspaceState } from './keyspace.ts';
import type { KeyspaceFailure } from './keyspace-error.ts';

/** What whoever opens a keyspace may count and tell. All of it is optional; none of it may throw. */
export interface KeyspaceObserver {
  /**
   * A command, an operation (under its own name) or a `batch` was answered, `milliseconds` after it was issued;
   * `failure` where it failed.
   */
  command?(name: string, milliseconds: number, failure: KeyspaceFailure | undefined): void;
  /**
   * One of these is issued. Whoever wants to know where it comes from looks around now; what this gives is called when it was
   * answered.
   */
  issued?(name: string): ((failure: KeyspaceFailure | undefined) => void) | undefined;
  /** What one turn of the event loop issued went out together. */
  flush?(commands: number, bytes: number): void;
  /** Whether what belongs to a domain that waits for replicas of its own can be kept; at first it cannot. */
  domainState?(domain: string, state: KeyspaceState): void;
  /** Something that an operator should read, in plain words. */
  warning?(message: string): void;
}
