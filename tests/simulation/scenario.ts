import {
  bothLeave,
  claimedMeanwhile,
  diesBeforeItCommits,
  diesBeforeItLooks,
  endsInAFailover,
  forgottenBeginning,
  forgottenHandover,
  forgottenMove,
  givenUp,
  leavesInAFailover,
  reapedInVain,
  replacedWhileItTakes,
  silentSuccessor,
  storedAndSaidAgain,
  storedByTwo,
} from './plots.ts';
import type { Plot } from './stage.ts';

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
  /** How many times as likely as elsewhere what is, by the names that actions have. */
  readonly weights?: Readonly<Record<string, number>>;
  /** Whether no two sessions of an account may get the same message. */
  readonly once?: boolean;
  /** What happens instead of `actions` that the seed chooses. */
  readonly plot?: Plot;
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

/** Each plot with the clients that it is about. */
const plot = (name: string, plot: Plot, clients: readonly string[], rest: Partial<Scenario> = {}): Scenario => ({
  ...clusterHousehold,
  name,
  plot,
  clients,
  ...rest,
});
const TWO = ['romeo/a', 'juliet/a'];
const THREE_OF_TWO = ['romeo/a', 'romeo/b', 'juliet/a'];

export const plots = {
  diesBeforeItCommits: plot('dies-before-it-commits', diesBeforeItCommits, TWO),
  storedByTwo: plot('stored-by-two', storedByTwo, TWO),
  storedAndSaidAgain: plot('stored-and-said-again', storedAndSaidAgain, TWO),
  forgottenBeginning: plot('forgotten-beginning', forgottenBeginning, TWO),
  forgottenMove: plot('forgotten-move', forgottenMove, TWO),
  forgottenHandover: plot('forgotten-handover', forgottenHandover, TWO, { once: true }),
  diesBeforeItLooks: plot('dies-before-it-looks', diesBeforeItLooks, TWO),
  givenUp: plot('given-up', givenUp, THREE_OF_TWO),
  silentSuccessor: plot('silent-successor', silentSuccessor, ['romeo/a', 'romeo/a', 'juliet/a']),
  bothLeave: plot('both-leave', bothLeave, THREE_OF_TWO),
  replacedWhileItTakes: plot('replaced-while-it-takes', replacedWhileItTakes, TWO),
  claimedMeanwhile: plot('claimed-meanwhile', claimedMeanwhile, TWO),
  reapedInVain: plot('reaped-in-vain', reapedInVain, TWO),
  endsInAFailover: plot('ends-in-a-failover', endsInAFailover, TWO),
  // hers is another shard than that of the members
  leavesInHerFailover: plot('leaves-in-her-failover', leavesInAFailover, ['juliet/a', 'romeo/a']),
  leavesInAFailover: plot('leaves-in-a-failover', leavesInAFailover, TWO),
};

export function scenarioNamed(name: string): Scenario {
  const found = [...scenarios, ...Object.values(plots)].find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`There is no scenario ${name}.`);
  return found;
}
