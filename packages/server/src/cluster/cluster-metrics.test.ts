import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bus } from '@parley/keyspace/bus';
import { openKeyspace } from '@parley/keyspace/open';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { type Redis, startRedis } from '../../../../tests/services/redis.ts';
import { internalAccounts } from '../accounts.ts';
import { configurationSchema } from '../config/schema.ts';
import { Log } from '../log.ts';
import { Node } from '../node.ts';

let redis: Redis;
let databases = 0;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const config = configurationSchema([]).parse({
  domains: ['localhost'],
  listen: { c2s: [], c2sTls: [], http: [] },
  admin: { socket: join(tmpdir(), 'parley-tests', 'parley.sock') },
  cluster: { secret: 'a secret that only the tests know of', heartbeatMilliseconds: 50 },
});

/** A bus that brings nothing while it is `broken`, until it is told to connect anew. */
class BreakableBus implements Bus {
  broken = false;
  readonly reasons: string[] = [];
  readonly #bus: Bus;
  constructor(bus: Bus) {
    this.#bus = bus;
  }
  publish: Bus['publish'] = (to, frame) => this.#bus.publish(to, frame);
  onPush: Bus['onPush'] = (callback) => this.#bus.onPush((frame) => this.broken || callback(frame));
  onLink: Bus['onLink'] = (callback) => this.#bus.onLink(callback);
  reconnect: Bus['reconnect'] = (reason) => {
    this.reasons.push(reason);
    this.#bus.reconnect(reason);
  };
}

async function start(url: string, name: string) {
  const id = randomBytes(8).toString('hex');
  const { keyspace, bus } = await openKeyspace(url, { node: id });
  const breakable = new BreakableBus(bus);
  const log: string[] = [];
  const node = await Node.start({
    config,
    keyspace,
    modules: [],
    accounts: internalAccounts,
    log: Log.create({ level: 'info', output: { write: (line) => log.push(JSON.parse(line).event) } }),
    cluster: { bus: breakable, id, name },
  });
  onTestFinished(async () => {
    await node.stop();
    await keyspace.close();
  });
  return { node, keyspace, bus: breakable, log, id };
}

it('counts who is there and what goes between them', async () => {
  const url = `${redis.url}/${databases++}`;
  const [one, two] = [await start(url, 'one'), await start(url, 'two')];
  await expect.poll(() => one.node.cluster?.members.length).toBe(2);
  expect(two.node.cluster?.members.map(({ name, id }) => [name, id])).toEqual([
    ['two', two.id],
    ['one', one.id],
  ]);
  expect([one.node.cluster?.notReady, two.node.cluster?.notReady]).toEqual([[], []]);

  const { metrics } = one.node.registry;
  expect([metrics.clusterMembers.value, metrics.clusterSessionsElsewhere.value]).toEqual([2, 0]);
  const { value: before } = two.node.registry.metrics.clusterItems.with({ direction: 'in' });
  await one.node.cluster?.quiet();
  expect(two.node.registry.metrics.clusterItems.with({ direction: 'in' }).value).toBeGreaterThan(before);
  expect(metrics.clusterFrames.with({ direction: 'in' }).value).toBeGreaterThan(0);
  expect(metrics.clusterItems.with({ direction: 'out' }).value).toBeGreaterThan(0);
  expect([metrics.clusterDeliveriesWaiting.value, metrics.clusterSessionsSought.value]).toEqual([0, 0]);
  expect(metrics.clusterDamaged.value).toBe(0);
  // what an answer was slow for is sent again, which is no fault
  expect(metrics.clusterItemsResent.value).toBe(one.node.cluster?.traffic.resent);
  await one.bus.publish(two.id, Buffer.from('?'));
  await expect.poll(() => two.node.registry.metrics.clusterDamaged.value).toBe(1);
});

it('that does not hear itself connects anew, and takes nobody new until it does', async () => {
  const { node, bus, log, keyspace } = await start(`${redis.url}/${databases++}`, 'one');
  const { clusterEchoAge } = node.registry.metrics;
  await expect.poll(() => node.cluster?.traffic.framesIn).toBeGreaterThan(0);
  bus.broken = true;
  await expect.poll(() => node.cluster?.notReady).toEqual(['it does not hear the other nodes']);
  expect(clusterEchoAge.value).toBeGreaterThan(0.1);
  expect(log).toContain('cluster.deaf');
  expect(bus.reasons[0]).toBe('Nothing that is published comes back.');
  bus.broken = false;
  await expect.poll(() => node.cluster?.notReady).toEqual([]);
  await expect.poll(() => keyspace.state).toBe('up');
});
