/** How a running node is: what `parley status` shows. */
export interface NodeStatus {
  readonly version: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly domains: readonly string[];
  readonly listeners: readonly { readonly name: string; readonly port: number }[];
  readonly sessions: number;
  readonly accountsOnline: number;
  readonly keyspace: { readonly kind: string; readonly state: string };
  /** Why the node is not ready; empty where it is. */
  readonly notReady: readonly string[];
  /** Whether its sessions go to other nodes while it runs on; `done`: none is left. */
  readonly drain: 'off' | 'running' | 'done';
  readonly memoryBytes: number;
}
