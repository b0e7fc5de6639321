import { setTimeout as pause } from 'node:timers/promises';
import { ClusterNode } from './cluster-node.ts';
import type { Entrances } from './crowd.ts';
import type { Random } from './random.ts';
import { RedisPair } from './redis-pair.ts';
import type { Timeline } from './timeline.ts';

/** How long after the last client has gone its session may still be told of, in milliseconds. */
const GHOST_PATIENCE = 40_000;

/** Nodes on one Redis, or one node that keeps its data itself. Ends with the test. */
export class Cluster implements Entrances {
  readonly nodes: readonly ClusterNode[];
  readonly redis: RedisPair | undefined;
  readonly #timeline: Timeline;

  private constructor(nodes: readonly ClusterNode[], redis: RedisPair | undefined, timeline: Timeline) {
    this.nodes = nodes;
    this.redis = redis;
    this.#timeline = timeline;
  }

  /** Starts them, with these accounts, whose password is "secret". */
  static async start(
    options: {
      nodes: number;
      keyspace: 'embedded' | 'redis';
      replicas: number;
      logins?: number | undefined;
      timeline: Timeline;
    },
    accounts: readonly string[],
  ): Promise<Cluster> {
    const { timeline, replicas, logins } = options;
    const redis = options.keyspace === 'redis' ? await RedisPair.start() : undefined;
    const nodes: ClusterNode[] = [];
    for (let number = 1; number <= options.nodes; number++) {
      nodes.push(
        await ClusterNode.of({ name: `node-${number}`, timeline, redisPort: redis?.primary.port, replicas, logins }),
      );
    }
    await nodes[0]?.installation.accounts(...accounts);
    await Promise.all(nodes.map((node) => node.start()));
    return new Cluster(nodes, redis, timeline);
  }

  anyNode(random: Random): ClusterNode {
    return random.pick(this.nodes);
  }

  /** Partners begin on different nodes, and come back to any. */
  entrance(client: number, attempt: number, random: Random): number {
    const first = attempt === 0 ? this.nodes[client % this.nodes.length] : undefined;
    return (first ?? this.anyNode(random)).clients.port;
  }

  /** The name of the node that clients reach on this port. */
  nameOf(port: number): string {
    return this.nodes.find(({ clients }) => clients.port === port)?.name ?? 'nowhere';
  }

  /** New connections to Redis lead to whoever is the primary now, and the old ones are gone. */
  redirect(): void {
    for (const { redis } of this.nodes) {
      if (this.redis) redis?.redirect(this.redis.primary.port);
      redis?.cut();
    }
  }

  /** How many sessions somebody still tells of, although all clients are gone. */
  async ghosts(): Promise<number> {
    const until = performance.now() + GHOST_PATIENCE;
    for (;;) {
      const [kept = 0, ...told] = await Promise.all([
        this.redis?.sessionsLeft() ?? 0,
        ...this.nodes.map((node) => node.sessions()),
      ]);
      const all = told.reduce((sum, sessions) => sum + sessions, kept);
      if (all === 0) return 0;
      if (performance.now() > until) {
        const keys = await this.redis?.keysLeft();
        this.#timeline.note(`GHOSTS: the nodes tell of ${told.join(', ')} sessions; Redis has ${kept}: ${keys}`);
        return all;
      }
      await pause(500);
    }
  }
}
