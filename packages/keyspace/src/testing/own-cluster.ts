import { expect, vi } from 'vitest';
import { SLOTS, slotOf } from '../redis/slot.ts';
import { freePort, OwnRedis } from './own-redis.ts';

export interface OwnClusterOptions {
  readonly primaries?: number;
  /** So many of the primaries, the first ones, have a replica each. */
  readonly replicas?: number;
  /** Silent for longer than this, a server counts as dead in its cluster. Shorter, and a busy machine looks like it. */
  readonly nodeTimeoutMs?: number;
  /** redis-server's own. */
  readonly options?: readonly string[];
}

/** A Redis Cluster that a test may maltreat, each server a process of its own. Ends with the test. */
export class OwnCluster {
  readonly primaries: readonly OwnRedis[];
  readonly replicas: readonly OwnRedis[];

  private constructor(primaries: readonly OwnRedis[], replicas: readonly OwnRedis[]) {
    this.primaries = primaries;
    this.replicas = replicas;
  }

  /** The slots are shared out evenly, in the order of the primaries. */
  static async start(wanted: OwnClusterOptions = {}): Promise<OwnCluster> {
    const { primaries = 3, replicas = 0, nodeTimeoutMs = 1500, options = [] } = wanted;
    const start = async () => {
      const port = await freePort(); // the cluster's own port, which is otherwise 10000 above
      const own = ['--cluster-enabled', 'yes', '--cluster-port', String(port)];
      const waits = ['--cluster-node-timeout', String(nodeTimeoutMs), '--repl-diskless-sync-delay', '0'];
      return OwnRedis.start([...own, ...waits, '--cluster-replica-validity-factor', '0', ...options]);
    };
    const all = await Promise.all(Array.from({ length: primaries + replicas }, start));
    const cluster = new OwnCluster(all.slice(0, primaries), all.slice(primaries));
    const [first] = all as [OwnRedis];
    for (const [index, redis] of cluster.primaries.entries()) {
      const [from, to] = [index, index + 1].map((part) => Math.floor((part * SLOTS) / primaries)) as [number, number];
      await ok(redis.ask('CLUSTER', 'ADDSLOTSRANGE', String(from), String(to - 1)));
      await ok(redis.ask('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1)));
    }
    for (const redis of all.slice(1)) {
      await ok(first.ask('CLUSTER', 'MEET', '127.0.0.1', String(redis.port), redis.option('--cluster-port')));
    }
    await Promise.all(all.map((redis) => tells(redis, `cluster_known_nodes:${all.length}`)));
    for (const [index, replica] of cluster.replicas.entries()) {
      const primary = (await cluster.primaries[index]?.askAll('CLUSTER', 'MYID'))?.split('\r\n')[1] ?? '';
      await ok(replica.ask('CLUSTER', 'REPLICATE', primary));
    }
    for (const replica of cluster.replicas) await tells(replica, 'master_link_status:up', ['INFO', 'replication']);
    await Promise.all(all.map((redis) => tells(redis, 'cluster_state:ok')));
    return cluster;
  }

  get url(): string {
    return `redis+cluster://${this.primaries.map(({ port }) => `127.0.0.1:${port}`).join()}`;
  }

  /** The primary that has the keys with this tag, as it was in the beginning. */
  primaryOf(tag: string): OwnRedis {
    return this.primaries[Math.floor((slotOf(tag) * this.primaries.length) / SLOTS)] as OwnRedis;
  }
}

async function ok(answer: Promise<string>): Promise<void> {
  const text = await answer;
  if (text !== '+OK') throw new Error(`Redis answers: ${text}`);
}

/** Resolves when a server tells this of itself. */
function tells(redis: OwnRedis, line: string, question = ['CLUSTER', 'INFO']): Promise<void> {
  return vi.waitFor(async () => expect(await redis.askAll(...question)).toContain(line), { interval: 20 });
}
