import { freePort } from '@parley/keyspace/testing/own-redis';
import { onTestFinished } from 'vitest';
import { startRedis } from '../services/redis.ts';
import { Installation, type RunningParley } from './process.ts';

/** A node of a cluster in a process of its own, always on the same port. */
export interface ClusterProcess {
  readonly installation: Installation;
  readonly node: RunningParley;
  readonly port: number;
}

/** Three nodes on one Redis, with these sections in their configuration, and more to listen on. They end with the test. */
export async function startThreeNodes(
  accounts: readonly string[],
  config: object = {},
  listen: object = {},
): Promise<ClusterProcess[]> {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const nodes: ClusterProcess[] = [];
  for (let index = 0; index < 3; index++) {
    const port = await freePort();
    const installation = new Installation({
      listen: {
        c2s: [{ host: '127.0.0.1', port }],
        c2sTls: [],
        components: [{ host: '127.0.0.1', port: 0 }],
        http: [{ host: '127.0.0.1', port: 0 }],
        ...listen,
      },
      authentication: { iterations: 4096 },
      limits: {
        stanzas: { perSecond: 0, strangersPerHour: 0 },
        bytes: { perSecond: 0 },
        process: { eventLoopDelayMilliseconds: 60_000 }, // the machine may have much else to do
      },
      cluster: { secret: 'a secret that only the tests know of' },
      ...config,
      keyspace: { url: redis.url, ...(config as { keyspace?: object }).keyspace },
    });
    if (index === 0) await installation.accounts(...accounts);
    nodes.push({ installation, node: await installation.start(), port });
  }
  return nodes;
}
