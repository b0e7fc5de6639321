/** What a run is about. */
export interface Scenario {
  readonly name: string;
  /** Nodes at a time. */
  readonly nodes: number;
  /** Full JIDs of the clients, but for the domain. */
  readonly clients: readonly string[];
  /** Things that clients do and faults that happen, before all is healed. */
  readonly actions: number;
  /** Whether sessions end while the run is on; otherwise each lives from its beginning to its end. */
  readonly sessionsEnd: boolean;
  /** Whether the store is replaced now and then by one that lacks the newest writes. */
  readonly failovers: boolean;
}

/** Three clients of one node; their sessions outlive everything. */
export const conversation: Scenario = {
  name: 'conversation',
  nodes: 1,
  clients: ['romeo/a', 'juliet/a', 'nurse/a'],
  actions: 200,
  sessionsEnd: false,
  failovers: false,
};

/** Two accounts, one with two clients, that come and go. */
export const household: Scenario = {
  name: 'household',
  nodes: 1,
  clients: ['romeo/a', 'romeo/b', 'juliet/a'],
  actions: 200,
  sessionsEnd: true,
  failovers: false,
};

const THREE = { nodes: 3, clients: ['romeo/a', 'romeo/b', 'juliet/a', 'nurse/a'], actions: 250 };

/** The same on three nodes. */
export const clusterConversation: Scenario = { ...conversation, ...THREE, name: 'cluster-conversation' };
export const clusterHousehold: Scenario = { ...household, ...THREE, name: 'cluster-household' };

/** Their store loses its newest writes now and then. */
export const clusterFailover: Scenario = { ...clusterConversation, failovers: true, name: 'cluster-failover' };

/** The same, of accounts whose clients come and go. */
export const householdFailover: Scenario = { ...clusterHousehold, failovers: true, name: 'household-failover' };

export const scenarios: readonly Scenario[] = [
  conversation,
  household,
  clusterConversation,
  clusterHousehold,
  clusterFailover,
  householdFailover,
];

export function scenarioNamed(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`There is no scenario ${name}.`);
  return found;
}
