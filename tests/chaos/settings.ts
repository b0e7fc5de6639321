export interface ChaosSettings {
  readonly seconds: number;
  readonly seed: number;
  readonly clients: number;
  readonly nodes: number;
  readonly keyspace: 'embedded' | 'redis';
  /** What each client says in a second. */
  readonly rate: number;
  /** Whether the replica of Redis is promoted now and then. */
  readonly failover: boolean;
  /** `keyspace.replicas` of the nodes. With the one that there is, they may die in the middle of a failover. */
  readonly replicas: number;
  /** In a storm: the node lives that clients leave. */
  readonly move: boolean;
  /** In a storm: clients come back by tokens, over TLS, each in one round trip. */
  readonly fast: boolean;
  /** In a storm: how long everybody's messages are measured before and after it, in milliseconds. */
  readonly calm: number;
  /** `limits.logins.perSecond` of each node; undefined where that stays as it is. */
  readonly logins: number | undefined;
  /** Writes down what happened even where nothing went wrong. */
  readonly keep: boolean;
}

type Numbers = Pick<ChaosSettings, 'seconds' | 'clients' | 'nodes' | 'rate'>;

/** What `scripts/chaos.ts` says in the environment, and what holds where it says nothing. */
export function chaosSettings(
  keyspace: ChaosSettings['keyspace'],
  defaults: Numbers,
  storm: Partial<Pick<ChaosSettings, 'move' | 'fast' | 'calm'>> = {},
): ChaosSettings {
  const { env } = process;
  const number = (name: string, otherwise: number) => Number(env[`CHAOS_${name}`] ?? otherwise);
  return {
    keyspace,
    seconds: number('SECONDS', defaults.seconds),
    seed: number('SEED', Date.now() % 1_000_000),
    clients: number('CLIENTS', defaults.clients),
    nodes: number('NODES', defaults.nodes),
    rate: number('RATE', defaults.rate),
    failover: keyspace === 'redis' && env.CHAOS_FAILOVER !== '0',
    replicas: number('REPLICAS', 0),
    logins: env.CHAOS_LOGINS === undefined ? undefined : Number(env.CHAOS_LOGINS),
    move: env.CHAOS_MOVE === '1' || storm.move === true,
    fast: env.CHAOS_FAST === '1' || storm.fast === true,
    calm: storm.calm ?? 10_000,
    keep: env.CHAOS_SECONDS !== undefined,
  };
}
