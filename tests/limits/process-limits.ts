import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import type { LimitName } from '@parley/metrics/catalogue';
import type { Configuration } from '@parley/server/config/schema';
import { Log } from '@parley/server/log';
import { LiveHeap } from '@parley/server/net/live-heap';
import { NodeCondition } from '@parley/server/node-condition';
import { openPorts } from '@parley/server/ports';
import { onTestFinished } from 'vitest';
import { auditInto } from '../support/audit.ts';
import type { Partly } from '../support/server.ts';
import { ended, LOOPBACK, openStream, tcp } from './connection-limits.ts';
import type { Limit, LimitTable, Scene } from './limit.ts';

/** The process runs short: strangers go, nobody new comes in, whoever has logged in stays. */
const shortOf = (
  name: LimitName,
  limits: Partly<Configuration['limits']['process']>,
  whileWaiting: () => void,
): Limit => ({
  config: {
    limits: { process: { heapPercent: 100 } },
    listen: { c2s: [{ host: LOOPBACK, port: 0 }], c2sTls: [], http: [] },
  },
  address: LOOPBACK,
  async exceed(scene) {
    const stranger = await tcp(scene);
    await openStream(stranger);
    // not before: on a busy machine it would be short of time at once, and take nobody in
    const { node } = scene.server;
    const next = structuredClone(node.config);
    Object.assign(next.limits.process, limits);
    await node.reload(next);
    const said = ended(stranger);
    while (scene.exceeded(name) === 0) {
      whileWaiting();
      await nextTurn();
    }
    const text = await said;
    return { shed: /<resource-constraint /.test(text), refused: await refused(scene, whileWaiting) };
  },
  sees: { shed: true, refused: '' },
});

async function refused(scene: Scene, whileWaiting: () => void): Promise<string> {
  const busy = setInterval(whileWaiting, 50);
  try {
    return await ended(await tcp(scene));
  } finally {
    clearInterval(busy);
  }
}

/** Nothing else happens for a while. */
function block(): void {
  const until = performance.now() + 100;
  while (performance.now() < until);
}

const ballast: number[][] = [];

/** Two percent of the heap are in use, and that is known. */
function fillHeap(): void {
  using heap = new LiveHeap();
  if (heap.percent >= 2) return;
  const most = getHeapStatistics().heap_size_limit;
  while (getHeapStatistics().used_heap_size < most / 50) ballast.push(new Array<number>(1_000_000).fill(0.5));
  heap.collect();
}

export const processLimits: LimitTable = {
  heap: shortOf('heap', { heapPercent: 1 }, fillHeap),
  'event-loop-delay': shortOf('event-loop-delay', { heapPercent: 100, eventLoopDelayMilliseconds: 20 }, block),

  'http-body-bytes': {
    config: { http: { maxBodyBytes: 1000 } },
    address: undefined,
    async exceed(scene) {
      const folder = mkdtempSync(join(tmpdir(), 'parley-'));
      const socketPath = join(folder, 'parley.sock');
      const { node, keyspace } = scene.server;
      node.config.admin.socket = socketPath;
      const audit = auditInto((line) => void scene.server.audit.push(JSON.parse(line)));
      const log = Log.create({ output: { write: (line) => scene.server.log.push(JSON.parse(line)) }, audit });
      const reload = () => Promise.reject(new Error('not here'));
      const ports = await openPorts({
        node,
        condition: new NodeCondition(node, keyspace),
        name: 'limits',
        keyspace,
        registry: node.registry,
        log,
        reload,
      });
      onTestFinished(async () => {
        await ports[Symbol.asyncDispose]();
        rmSync(folder, { recursive: true });
      });
      const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
      const headers = { 'content-type': 'application/json', 'content-length': 2000 };
      const sent = request({ socketPath, method: 'POST', path: '/api/accounts', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject);
      sent.end('x'.repeat(2000));
      return promise;
    },
    sees: 413,
  },
};
