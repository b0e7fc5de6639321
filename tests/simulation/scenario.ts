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
}

/** Three clients of one node; their sessions outlive everything. */
export const conversation: Scenario = {
  name: 'conversation',
  nodes: 1,
  clients: ['romeo/a', 'juliet/a', 'nurse/a'],
  actions: 200,
  sessionsEnd: false,
};

/** Two accounts, one with two clients, that come and go. */
export const household: Scenario = {
  name: 'household',
  nodes: 1,
  clients: ['romeo/a', 'romeo/b', 'juliet/a'],
  actions: 200,
  sessionsEnd: true,
};

export const scenarios: readonly Scenario[] = [conversation, household];

export function scenarioNamed(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`There is no scenario ${name}.`);
  return found;
}
