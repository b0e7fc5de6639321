import { parseArgs } from 'node:util';

export interface ChaosRun {
  /** The tests that do it. */
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
}

export const chaosUsage = `npm run chaos -- [options]

  --minutes N         how long things break (default: 1)
  --seed N            decides which faults come, and in which order
  --clients N         an even number (default: 100; 20 on one node; 3000 in a storm)
  --nodes N           nodes on one Redis (default: 3); 1: one node that keeps its data itself
  --keyspace redis    one node, too, on Redis
  --rate N            what each client says in a second
  --no-failover       never has the replica of Redis take its primary's place
  --replicas 1        acknowledges only what the replica of Redis has, too; nodes die in the middle of failovers then
  --storm             instead of all that: kills one node, and measures how all its clients come back
  --logins N          how many clients each node lets log in within a second (default: as it is configured)
  --move              with --storm: the node lives on, only all connections to it break
  --fast              with --storm: clients come back by tokens (XEP-0484), over TLS
  --help              say this`;

/** Undefined where help is asked for. Throws an error in plain words where an option makes no sense. */
export function chaosRun(args: string[], seed = Date.now() % 1_000_000): ChaosRun | undefined {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(seed) },
      clients: { type: 'string' },
      nodes: { type: 'string', default: '3' },
      keyspace: { type: 'string' },
      rate: { type: 'string' },
      'no-failover': { type: 'boolean', default: false },
      replicas: { type: 'string', default: '0' },
      storm: { type: 'boolean', default: false },
      logins: { type: 'string' },
      move: { type: 'boolean', default: false },
      fast: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const { storm } = values;
  const minutes = Number(values.minutes);
  const nodes = whole('--nodes', values.nodes, 1);
  const { keyspace = nodes === 1 && !storm ? 'embedded' : 'redis' } = values;
  const clients = whole('--clients', values.clients ?? (storm ? '3000' : nodes === 1 ? '20' : '100'), 2);
  if (!(minutes > 0)) throw new Error('--minutes must be a number above 0');
  if (clients % 2 !== 0) throw new Error('--clients must be an even number');
  if (keyspace !== 'embedded' && keyspace !== 'redis') throw new Error('--keyspace must be embedded or redis');
  if (keyspace === 'embedded' && nodes > 1) throw new Error('--keyspace embedded is for one node');
  if (keyspace === 'embedded' && storm) throw new Error('--storm needs --keyspace redis');
  const replicas = whole('--replicas', values.replicas, 0);
  if (replicas > 1) throw new Error('--replicas must be 0 or 1: there is one replica');
  if (keyspace === 'embedded' && replicas > 0) throw new Error('--replicas needs --keyspace redis');
  const env: NodeJS.ProcessEnv = {
    CHAOS_SECONDS: String(minutes * 60),
    CHAOS_SEED: String(whole('--seed', values.seed, 0)),
    CHAOS_CLIENTS: String(clients),
    CHAOS_NODES: String(nodes),
    CHAOS_FAILOVER: values['no-failover'] ? '0' : '1',
    CHAOS_REPLICAS: String(replicas),
  };
  if (values.logins !== undefined) env.CHAOS_LOGINS = String(whole('--logins', values.logins, 1));
  if (values.move) env.CHAOS_MOVE = '1';
  if (values.fast) env.CHAOS_FAST = '1';
  if (values.rate !== undefined) env.CHAOS_RATE = String(whole('--rate', values.rate, 1));
  if (storm) return { file: 'tests/chaos/storm.long.test.ts', env: { ...env, PARLEY_TESTS: 'long' } };
  return { file: `tests/chaos/${keyspace === 'redis' ? 'cluster' : 'chaos'}.test.ts`, env };
}

function whole(name: string, text: string, least: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least) throw new Error(`${name} must be a whole number from ${least} up`);
  return number;
}
