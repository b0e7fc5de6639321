import type { Association } from '@parley/metrics/node-report';
import type { Snapshot } from '@parley/metrics/snapshot';

/** As applOperStatus of NETWORK-SERVICES-MIB numbers them (RFC 2788). */
export const OPERATIONAL_STATUS = { up: 1, down: 2, halted: 3, congested: 4, restarting: 5, quiescing: 6 } as const;
export type OperationalStatus = keyof typeof OPERATIONAL_STATUS;

/** What is known of a node, or of all of them together. Times are the agent's: milliseconds since it started. */
export interface ApplicationState {
  /** 1 is the cluster; each node has the same as long as it is known. */
  readonly index: number;
  readonly name: string;
  readonly software: string;
  readonly status: OperationalStatus;
  /** When that was seen first; 0 where it was so before the agent started. */
  readonly changedAt: number;
  /** When the application started; 0 where that was before the agent did. */
  readonly startedAt: number;
  /** When it was heard last. */
  readonly heardAt: number;
  /** When a stream was last seen to be there, or to have come or gone; 0 where that was never. */
  readonly inboundAt: number;
  readonly outboundAt: number;
  /** What a node counts since it started; what the cluster has counted since it is watched, which never falls. */
  readonly metrics: Pick<Snapshot, 'values'>;
  readonly associations: readonly ShownAssociation[];
}

export interface ShownAssociation extends Omit<Association, 'since'> {
  /** Its number among those of its application, which it keeps. */
  readonly index: number;
  /** When it began, by the agent's time. */
  readonly since: number;
}

/** All that is shown, at one moment. */
export interface ClusterState {
  /** The keyspace that the nodes share does not answer the agent, so that nobody is heard. */
  readonly deaf: boolean;
  readonly cluster: ApplicationState;
  readonly nodes: readonly ApplicationState[];
  /** When the newest of it was heard. */
  readonly at: number;
}

/** The same with all times later by so many milliseconds, as somebody tells them whose clock has begun earlier. */
export function shifted(state: ClusterState, by: number): ClusterState {
  if (by === 0) return state;
  /** What was before the clock began stays so (RFC 2788). */
  const later = (time: number) => (time === 0 ? 0 : Math.max(0, time + by));
  const application = (one: ApplicationState): ApplicationState => ({
    ...one,
    changedAt: later(one.changedAt),
    startedAt: later(one.startedAt),
    heardAt: later(one.heardAt),
    inboundAt: later(one.inboundAt),
    outboundAt: later(one.outboundAt),
    associations: one.associations.map((each) => ({ ...each, since: later(each.since) })),
  });
  return { ...state, at: later(state.at), cluster: application(state.cluster), nodes: state.nodes.map(application) };
}
