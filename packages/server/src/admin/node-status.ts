/** A node of the cluster, as another one knows it. */
export interface MemberStatus {
  /** 16 hexadecimal digits, other ones at each start. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** When it started, as ISO 8601. */
  readonly since: string;
  /** It is the one that was asked. */
  readonly here: boolean;
  readonly sessions: number;
}

/** How a running node is: what `parley status` shows. */
export interface NodeStatus {
  readonly version: string;
  readonly pid: number;
  readonly uptimeSeconds: number;
  readonly domains: readonly string[];
  readonly listeners: readonly { readonly name: string; readonly port: number }[];
  readonly sessions: number;
  readonly accountsOnline: number;
  /** Sessions of other nodes. */
  readonly elsewhere: number;
  /** All nodes, the one that was asked first; empty where it is alone. */
  readonly cluster: readonly MemberStatus[];
  readonly keyspace: { readonly kind: string; readonly state: string };
  /** Why the node is not ready; empty where it is. */
  readonly notReady: readonly string[];
  /** Whether its sessions go to other nodes while it runs on; `done`: none is left. */
  readonly drain: 'off' | 'running' | 'done';
  readonly memoryBytes: number;
}
