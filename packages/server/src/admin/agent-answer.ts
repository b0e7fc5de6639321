export interface NodeCondition {
  /** It stops, or was told to take nobody new. */
  readonly draining: boolean;
  /** It reaches the keyspace and the other nodes. */
  readonly able: boolean;
  /** What is used of what is shortest, 1 being all of it. */
  readonly load: number;
}

/**
 * What the node says to HAProxy's agent checks. HAProxy keeps what an answer does not mention: `ready` takes back an
 * earlier `drain`, `up` an earlier `down`.
 */
export function agentAnswer({ draining, able, load }: NodeCondition): string {
  if (draining) return 'drain';
  if (!able) return 'down';
  return `ready up ${weight(load)}%`;
}

/** All of it up to half of the load, then evenly less, in tens; a node without room still counts among others like it. */
function weight(load: number): number {
  const tens = Math.round((1 - load) * 20) * 10;
  return Math.min(Math.max(tens, 1), 100);
}
