import { parseSnapshot, type Snapshot } from './snapshot.ts';

/** `halted`: it runs and can take nobody, as while the keyspace is away. */
export const NODE_STATES = ['up', 'halted', 'congested', 'quiescing'] as const;
export type NodeState = (typeof NODE_STATES)[number];

/** What a node tells whoever watches all nodes together: its metrics, and how it is. */
export interface NodeReport extends Snapshot {
  /** The version of the program. */
  readonly software: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly state: NodeState;
  /** Why it is not up, in words. */
  readonly reasons: readonly string[];
}

/** Checks what another process wrote. Throws an Error that says what is wrong. */
export function parseNodeReport(text: string): NodeReport {
  const snapshot = parseSnapshot(text);
  const { software, startedAt, state, reasons } = JSON.parse(text) as Partial<NodeReport>;
  const good =
    typeof software === 'string' &&
    Number.isFinite(startedAt) &&
    Array.isArray(reasons) &&
    reasons.every((reason) => typeof reason === 'string');
  if (!good || !NODE_STATES.includes(state as NodeState)) {
    throw new Error('The report of a node lacks its version, start, state or reasons.');
  }
  return { ...snapshot, software, startedAt: startedAt as number, state: state as NodeState, reasons };
}
