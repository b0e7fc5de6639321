import { NODE_STATES, type NodeState } from './node-state.ts';
import { parseSnapshot, type Snapshot } from './snapshot.ts';

export const ASSOCIATION_KINDS = ['client', 'peer-in', 'peer-out', 'component'] as const;

/** A stream between a node and somebody else. */
export interface Association {
  readonly kind: (typeof ASSOCIATION_KINDS)[number];
  /** A domain; of a client, its address in the network. */
  readonly remote: string;
  readonly port: number;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** What a node tells whoever watches all nodes together: its metrics, and how it is. */
export interface NodeReport extends Snapshot {
  /** The version of the program. */
  readonly software: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly state: NodeState;
  /** Why it is not up, in words. */
  readonly reasons: readonly string[];
  /** Those that are to be shown. */
  readonly associations: readonly Association[];
}

/** Checks what another process wrote. Throws an Error that says what is wrong. */
export function parseNodeReport(text: string): NodeReport {
  const snapshot = parseSnapshot(text);
  const { software, startedAt, state, reasons, associations = [] } = JSON.parse(text) as Partial<NodeReport>;
  const good =
    typeof software === 'string' &&
    Number.isFinite(startedAt) &&
    Array.isArray(reasons) &&
    reasons.every((reason) => typeof reason === 'string') &&
    Array.isArray(associations) &&
    associations.every(isAssociation);
  if (!good || !NODE_STATES.includes(state as NodeState)) {
    throw new Error('The report of a node lacks its version, start, state, reasons or associations.');
  }
  return { ...snapshot, software, startedAt: startedAt as number, state: state as NodeState, reasons, associations };
}

const isAssociation = ({ kind, remote, port, since }: Partial<Association>): boolean =>
  kind !== undefined &&
  ASSOCIATION_KINDS.includes(kind) &&
  typeof remote === 'string' &&
  Number.isInteger(port) &&
  Number.isFinite(since);
