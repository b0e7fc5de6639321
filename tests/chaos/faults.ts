import { setTimeout as pause } from 'node:timers/promises';
import type { LossyProxy } from '../support/lossy-proxy.ts';
import type { Cluster } from './cluster.ts';
import type { ClusterNode } from './cluster-node.ts';
import type { Crowd } from './crowd.ts';
import type { Random } from './random.ts';
import { CLIENT_PATIENCE, type Timeline } from './timeline.ts';

/** What faults are made with. */
export interface Breakable {
  readonly cluster: Cluster;
  readonly crowd: Crowd;
  readonly random: Random;
  readonly timeline: Timeline;
  /** Milliseconds that all of it takes, so that one long fault does not take all of a short run. */
  readonly total: number;
}

export interface FaultKind {
  readonly name: string;
  /** How often it comes in one round of faults. */
  readonly weight: number;
  /** Milliseconds after it in which no node is lost: sessions may be known to the nodes alone then. */
  readonly settle?: number;
  /** Others may count the node as dead meanwhile: it is, or nobody hears of it for more than 3 s. */
  readonly losesNode?: boolean;
  readonly needsRedis?: boolean;
  /** Resolves when it is over. */
  run(breakable: Breakable): Promise<void>;
}

/** How long after Redis has died no node is. */
const REDIS_SETTLES = 15_000;

/** Within what a node notices that its connection to Redis is dead, and is back. */
const LINK_NOTICED = 5000;

/** How long a node may take to end in order. */
const TERMINATION = 20_000;

/** A fault on one node. */
const onNode =
  (name: string, run: (node: ClusterNode, breakable: Breakable) => Promise<void>) => async (breakable: Breakable) => {
    const node = breakable.cluster.anyNode(breakable.random);
    const fault = breakable.timeline.begin(name, node.name);
    await run(node, breakable);
    breakable.timeline.end(fault);
  };

/** A fault on the connection of one node to Redis. */
const onRedisLink = (name: string, run: (link: LossyProxy, random: Random) => Promise<void>) =>
  onNode(name, async ({ redis }, { random }) => {
    if (redis !== undefined) await run(redis, random);
  });

async function stopped(node: ClusterNode, ms: number): Promise<void> {
  node.stop();
  await pause(ms);
  node.goOn();
}

/** These come one at a time. */
export const heavyFaults: readonly FaultKind[] = [
  {
    name: 'kill',
    weight: 4,
    losesNode: true,
    run: onNode('kill', async (node, { random }) => {
      await node.kill();
      await pause(random.next() < 0.5 ? 0 : random.between(0, 5000));
      await node.start();
    }),
  },
  {
    name: 'stop',
    weight: 2,
    run: onNode('stop', (node, { random }) => stopped(node, random.between(100, 2000))),
  },
  {
    name: 'stop-long',
    weight: 1,
    losesNode: true,
    run: onNode('stop-long', (node, { random, total }) => {
      const [least, most] = random.next() < 0.65 ? [2000, 8000] : [8000, 30_000];
      return stopped(node, Math.min(random.between(least, most), Math.max(2000, total / 4)));
    }),
  },
  {
    name: 'terminate',
    weight: 2,
    losesNode: true,
    run: onNode('terminate', async (node, { random, timeline }) => {
      const code = await Promise.race([node.terminate(), pause(TERMINATION, 'late' as const, { ref: false })]);
      if (code !== 0) timeline.note(`WRONG ${node.name} does not end in order: ${code}`);
      if (code === 'late') await node.kill();
      await pause(random.between(0, 2000));
      await node.start();
    }),
  },
  {
    name: 'redis-link-cut',
    weight: 2,
    needsRedis: true,
    run: onRedisLink('redis-link-cut', async (link) => {
      link.cut();
    }),
  },
  {
    name: 'redis-link-half-open',
    weight: 1,
    needsRedis: true,
    run: onRedisLink('redis-link-half-open', async (link, random) => {
      link.loseExisting(random.pick(['both', 'to the client', 'to the server']));
      await pause(LINK_NOTICED);
    }),
  },
  {
    name: 'redis-link-lost',
    weight: 1,
    losesNode: true,
    needsRedis: true,
    run: onRedisLink('redis-link-lost', async (link, random) => {
      link.lose('both');
      await pause(random.between(500, 6000));
      link.cut();
    }),
  },
  {
    name: 'redis-link-frozen',
    weight: 1,
    needsRedis: true,
    run: onRedisLink('redis-link-frozen', async (link, random) => {
      link.freeze();
      await pause(random.between(100, 3000));
      link.thaw();
    }),
  },
  ...(['normal', 'pubsub'] as const).map((type): FaultKind => {
    const name = `redis-client-kill-${type}`;
    return {
      name,
      weight: 1,
      needsRedis: true,
      async run({ cluster, timeline }) {
        const fault = timeline.begin(name);
        timeline.note(`${await cluster.redis?.killClients(type)} connections to Redis killed`);
        timeline.end(fault);
      },
    };
  }),
  {
    name: 'redis-kill',
    weight: 1,
    needsRedis: true,
    settle: REDIS_SETTLES,
    async run({ cluster, timeline, random }) {
      const fault = timeline.begin('redis-kill');
      await cluster.redis?.kill();
      await pause(random.between(0, 2000));
      await cluster.redis?.start();
      timeline.end(fault);
    },
  },
];

export const failover: FaultKind = {
  name: 'failover',
  weight: 2,
  needsRedis: true,
  settle: REDIS_SETTLES,
  async run({ cluster, timeline, random }) {
    await cluster.redis?.inStep();
    const fault = timeline.begin('failover');
    const tail = random.next() < 0.5 ? 0 : random.between(10, 300);
    timeline.note(`the last ${Math.round(tail)} ms are lost with the primary`);
    cluster.redis?.fallBehind();
    await pause(tail);
    await cluster.redis?.kill();
    await pause(random.between(0, 3000));
    await cluster.redis?.promote();
    cluster.redirect();
    timeline.end(fault);
  },
};

/** Of the connections that clients have to one node: all, or some. */
function some(random: Random): () => boolean {
  const part = random.next() < 0.3 ? 1 : random.between(0.05, 0.5);
  return () => random.next() < part;
}

/** These come at any time, while others go on. */
export const lightFaults: readonly FaultKind[] = [
  {
    name: 'break',
    weight: 6,
    async run({ crowd, random, timeline }) {
      const fault = timeline.begin('break');
      for (let count = random.between(1, Math.min(10, crowd.clients.length / 2)); count > 0; count--) {
        crowd.break(random);
      }
      timeline.end(fault);
    },
  },
  {
    name: 'client-link-cut',
    weight: 2,
    run: onNode('client-link-cut', async ({ clients }, { random, timeline }) => {
      timeline.note(`${clients.cut(some(random))} connections of clients cut`);
    }),
  },
  {
    name: 'client-link-half-open',
    weight: 2,
    async run({ cluster, random, timeline }) {
      const node = cluster.anyNode(random);
      const fault = timeline.begin('client-link-half-open', node.name);
      const direction = random.pick(['both', 'to the client', 'to the server'] as const);
      timeline.note(`${node.clients.loseExisting(direction, some(random))} connections of clients dead ${direction}`);
      timeline.end(fault, fault.from + CLIENT_PATIENCE); // it shows only then
    },
  },
  {
    name: 'client-link-frozen',
    weight: 1,
    run: onNode('client-link-frozen', async ({ clients }, { random }) => {
      clients.freeze();
      await pause(random.between(100, 3000));
      clients.thaw();
    }),
  },
];
