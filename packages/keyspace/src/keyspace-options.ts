import type { ConnectionOptions } from 'node:tls';
import type { KeyspaceObserver } from './observer.ts';

export interface KeyspaceOptions {
  /** This node's name on the bus. Without it no frames arrive here, those for all nodes neither. */
  node?: string;
  observer?: KeyspaceObserver;
  /** Milliseconds after which a command that was not answered fails with `slow`. Default 5000. */
  deadline?: number;
  /** What waits for an answer may take up so many bytes; then commands fail with `slow`. Default 16 MiB, on disk 64. */
  maxPendingBytes?: number;

  /** Redis: milliseconds until opening gives up. Default 10000. */
  connectDeadline?: number;
  /** Redis: TLS, for `rediss:` addresses: authorities, a certificate of our own. */
  tls?: ConnectionOptions;
  /** Redis: nothing counts as done before so many replicas have it, too. Default 0. */
  replicas?: number;
  /** Redis: the same for what belongs to accounts of these domains. Others are not slower for it. */
  domainReplicas?: ReadonlyMap<string, number>;
  /** Redis: what the sentinels ask for, where that is not what Redis asks for. */
  sentinelPassword?: string;

  /**
   * Embedded: what a resolved promise survives: `process` (the default) the death of this process, `power` also that
   * of the machine.
   */
  durability?: 'process' | 'power';
  /** Embedded: the file may grow to so many bytes. Default 0: as far as its disk allows. */
  maxBytes?: number;
  /** Embedded: a snapshot is taken after so much time or log. Default 60 s, 64 MiB. */
  snapshotMilliseconds?: number;
  snapshotBytes?: number;
  /** Embedded: the clock, milliseconds since 1970. Default Date.now. */
  now?: () => number;
}
