import { randomBytes } from 'node:crypto';
import { openKeyspace } from '@parley/keyspace/open';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { type Redis, startRedis } from '../../../../tests/services/redis.ts';
import { FRAME_VERSIONS } from './frame-versions.ts';
import { memberKeys } from './member.ts';
import { Membership } from './membership.ts';

let redis: Redis;
beforeAll(async () => {
  redis = await startRedis();
  const { keyspace } = await openKeyspace(redis.url);
  await keyspace.del(memberKeys.key());
  await keyspace.close();
});
afterAll(() => redis.stop());

/**
 * Whoever is only slow is not gone: somebody listens for its frames. Where the one who looks stood still just when another
 * one died, it is the lease that ends that one.
 */
const LEASE = { heartbeatMs: 20, leaseMs: 12_000, absentMs: 5000 };

async function join(name: string) {
  const id = randomBytes(8).toString('hex');
  const { keyspace, bus } = await openKeyspace(redis.url, { node: id });
  onTestFinished(() => keyspace.close());
  const told: string[] = [];
  const membership: Membership = await Membership.join({
    keyspace,
    bus,
    self: { id, name, startedAt: Date.now(), frames: FRAME_VERSIONS, version: '1.0.0' },
    lease: () => LEASE,
    onJoined: (member) => told.push(`joined ${member.name}`),
    onGone: (member, how) => told.push(`${how} ${member.name}`),
    onReap: (member) => {
      told.push(`reap ${member.name}`);
      void membership.dealtWith(member.id);
    },
    onFenced: () => told.push('fenced'),
    onFault: (error) => told.push(String(error)),
  });
  return { id, keyspace, told, membership };
}

it('sees who joins, leaves and dies', async () => {
  const a = await join('a');
  const b = await join('b');
  const c = await join('c');
  await vi.waitFor(() => expect(a.told.toSorted()).toEqual(['joined b', 'joined c']), { interval: 5 });
  await b.membership.leave();
  await vi.waitFor(() => expect([...a.told, ...c.told]).toContain('reap b'), { interval: 5 });
  await vi.waitFor(() => expect(a.told).toContain('left b'), { interval: 5 });
  a.told.length = 0;
  await c.keyspace.close();
  await vi.waitFor(() => expect(a.told).toEqual(expect.arrayContaining(['dead c', 'reap c'])), { interval: 5 });
  const entry = async (id: string) => String(await a.keyspace.hget(memberKeys.key(), id));
  await vi.waitFor(async () => expect(await entry(c.id)).toMatch(/^dead \d+ \d+ \+ $/), { interval: 5 });
  expect(a.membership.members.size).toBe(0);
  await a.membership.leave();
  expect(await entry(a.id)).toMatch(/^left /);
});
