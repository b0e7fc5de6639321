import type { Configuration } from '../config/schema.ts';

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
