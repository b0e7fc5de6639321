import type { Log } from '../../../log.ts';
import type { RawConnection } from '../connection/raw-connection.ts';
import type { Directory } from '../directory.ts';
import type { Copy } from './copy.ts';
import type { Followed } from './followed.ts';
import type { Rechecks } from './rechecks.ts';
import type { SyncState } from './sync-state.ts';

/** One attempt to follow something: what ways of doing so work with. */
export interface Follow {
  readonly directory: Directory;
  readonly followed: Followed;
  readonly copy: Copy;
  readonly state: SyncState;
  readonly log: Log;
  /** Aborted when this node is not to follow any more. */
  readonly signal: AbortSignal;
  /** Bound as the account that Parley has; ended with the attempt. */
  connect(): Promise<RawConnection>;
  readonly rechecks: Rechecks;
  /** Everything was known at this moment. */
  onComplete(): Promise<void>;
  /** So many are missing, and not taken for removed yet. */
  onHeld(missing: number): void;
}

/** Another way has to be tried at once: this one's cookie is worth nothing any more, for instance. */
export class BeginAgain extends Error {
  override name = 'BeginAgain';
}

/** It is to be followed in another way, or elsewhere; what is known of it is as good as before. */
export class FollowOtherwise extends BeginAgain {
  override name = 'FollowOtherwise';
}
