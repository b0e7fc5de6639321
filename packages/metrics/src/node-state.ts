/** `halted`: it runs and can take nobody, as while the keyspace is away. */
export const NODE_STATES = ['up', 'halted', 'congested', 'quiescing'] as const;
export type NodeState = (typeof NODE_STATES)[number];
