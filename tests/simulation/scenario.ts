export interface AccountPlan {
  readonly name: string;
  readonly shard: number;
  readonly resources: readonly string[];
  /** Accounts that its clients write to. */
  readonly peers: readonly string[];
}

/** What a run is about. */
export interface Scenario {
  readonly name: string;
  readonly shards: number;
  readonly accounts: readonly AccountPlan[];
  /** Plain commands where that is allowed; otherwise everything is sent by the operation route. */
  readonly plain: boolean;
  readonly fastMode: boolean;
  /** Pushes and replies come in two queues: a push may overtake a reply. */
  readonly twoQueues: boolean;
  /** Weight of failovers; 0: there are none. */
  readonly failover: number;
  /** Whether sessions are bound and end while the run is on; otherwise each lives from its beginning to its end. */
  readonly sessionsEnd: boolean;
  /** Whether clients block, switch carbons on and change rosters, and nodes write to accounts. */
  readonly changes: boolean;
  readonly offlineLimit: number;
  /** How soon nodes handle what their links bring: 5 is at once, below 1 is late. */
  readonly pace: number;
  /** Messages that each client sends. */
  readonly messages: number;
  /** Events before the faults end and the run heals. */
  readonly steps: number;
}

const FAILOVERS = 0.25;

const single = (name: string, peer: string): AccountPlan => ({ name, shard: 0, resources: ['r1'], peers: [peer] });

/** Three clients on three nodes and one shard, each with one session that lives through the whole run. */
export const conversation: Scenario = {
  name: 'conversation',
  shards: 1,
  accounts: [single('A', 'B'), single('C', 'B'), single('B', 'A')],
  plain: true,
  fastMode: true,
  twoQueues: false,
  failover: 0,
  sessionsEnd: false,
  changes: false,
  offlineLimit: 100,
  pace: 5,
  messages: 14,
  steps: 400,
};

/** Two accounts on two shards, each with two clients that come and go. */
export const household: Scenario = {
  name: 'household',
  shards: 2,
  accounts: [
    { name: 'A', shard: 0, resources: ['r1', 'r2'], peers: ['B', 'B', 'A'] },
    { name: 'B', shard: 1, resources: ['r1', 'r2'], peers: ['A', 'A', 'B'] },
  ],
  plain: false,
  fastMode: true,
  twoQueues: false,
  failover: 0,
  sessionsEnd: true,
  changes: true,
  offlineLimit: 3,
  pace: 5,
  messages: 12,
  steps: 600,
};

const variant = (scenario: Scenario, name: string, change: Partial<Scenario>): Scenario => ({
  ...scenario,
  ...change,
  name: `${scenario.name}, ${name}`,
});

/** Without failovers. */
export const steady: readonly Scenario[] = [
  conversation,
  variant(conversation, 'two queues', { twoQueues: true }),
  variant(conversation, 'late', { pace: 0.7 }),
  household,
  variant(household, 'plain', { plain: true }),
  variant(household, 'plain, two queues', { plain: true, twoQueues: true }),
  variant(household, 'plain, late', { plain: true, pace: 0.7 }),
];

/** With failovers that lose the last commands. */
export const failing: readonly Scenario[] = [
  variant(conversation, 'failovers', { failover: FAILOVERS }),
  variant(conversation, 'failovers, two queues', { failover: FAILOVERS, twoQueues: true }),
  variant(household, 'failovers', { failover: FAILOVERS }),
  variant(household, 'failovers, plain, two queues', { failover: FAILOVERS, plain: true, twoQueues: true }),
  variant(household, 'failovers, plain, late', { failover: FAILOVERS, plain: true, pace: 0.7 }),
];

export function scenarioNamed(name: string): Scenario {
  const found = [...steady, ...failing].find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`There is no scenario ${name}.`);
  return found;
}
