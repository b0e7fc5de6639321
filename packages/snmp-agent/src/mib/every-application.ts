import type { ApplicationState, ClusterState } from '../cluster/cluster-state.ts';

/** The cluster, then each node, by index. */
export const everyApplication = ({ cluster, nodes }: ClusterState): readonly ApplicationState[] => [cluster, ...nodes];
