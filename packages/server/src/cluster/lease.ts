import type { Configuration } from '../config/schema.ts';

/**
 * How often a member beats; for how long it may be silent; and for how long where nobody listens for its frames any more,
 * which has to be some beats.
 */
export interface Lease {
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  readonly absentMs: number;
}

/** How long the members of the cluster believe in each other. */
export function leaseOf({ cluster }: Configuration): Lease {
  return {
    heartbeatMs: cluster.heartbeatMilliseconds,
    leaseMs: cluster.leaseMilliseconds,
    absentMs: cluster.absentMilliseconds,
  };
}
