import { type Bus, EVERY_NODE } from '@parley/keyspace/bus';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Redis, startRedis } from '../../../../tests/services/redis.ts';
import { describeMember, memberKeys, memberOf } from './member.ts';
import { type Blame, dealtWith, heartbeat, leave, REMEMBERED_MS, type Roll } from './member-operations.ts';

let redis: Redis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const [a, b, c] = ['00000000000000aa', '00000000000000bb', '00000000000000cc'];
const FRAMES = { oldest: 1, newest: 2 };
const about = (name: string) => describeMember({ id: '', name, startedAt: 5, frames: FRAMES, version: '1.2.3' });

describe.each(['memory', 'redis'])('on %s', (kind) => {
  let keyspace: Keyspace;
  let bus: Bus;
  beforeAll(async () => {
    const url = kind === 'memory' ? 'embedded::memory:' : redis.url;
    ({ keyspace, bus } = await openKeyspace(url, { node: a }));
    return () => keyspace.close();
  });
  beforeEach(() => keyspace.del(memberKeys.key()));

  const beat = (id: string, number: number, blame: Blame[] = [], comesBack = true) => {
    const told = about(`node ${id.slice(-1)}`);
    return heartbeat(keyspace, { id, about: told, number, comesBack, frames: FRAMES, blame });
  };

  /** Id, state, number and reaper of each, as the answer to a beat tells them. */
  const roll = async (...args: Parameters<typeof beat>) =>
    ((await beat(...args)) as Roll | undefined)?.entries
      .map((entry) => [entry.id, entry.state, entry.beat, entry.reaper].join(' '))
      .sort();

  it('tells of everybody who beats, with what they tell of themselves', async () => {
    const before = await keyspace.now();
    expect(await roll(a, 1)).toEqual([`${a} alive 1 -`]);
    expect(await roll(b, 7)).toEqual([`${a} alive 1 -`, `${b} alive 7 -`]);
    const { time, entries } = (await beat(a, 2)) as Roll;
    expect(entries.map(memberOf).sort((one, other) => one.id.localeCompare(other.id))).toEqual([
      { id: a, name: 'node a', startedAt: 5, frames: FRAMES, version: '1.2.3' },
      { id: b, name: 'node b', startedAt: 5, frames: FRAMES, version: '1.2.3' },
    ]);
    for (const { since } of entries) {
      expect(since).toBeGreaterThanOrEqual(before);
      expect(since).toBeLessThanOrEqual(time);
    }
    expect(time).toBeLessThanOrEqual(await keyspace.now());
  });

  it('declares dead whose latest beat is the one that is told, and claims what it left', async () => {
    await beat(b, 3);
    expect(await roll(a, 1, [{ id: b, beat: '2' }])).toEqual([`${a} alive 1 -`, `${b} alive 3 -`]);
    expect(await roll(a, 2, [{ id: b, beat: '3' }])).toEqual([`${a} alive 2 -`, `${b} dead 3 ${a}`]);
    expect(await roll(b, 4)).toBeUndefined();
    expect(await roll(c, 1)).toContain(`${b} dead 3 ${a}`);
  });

  it('declares dead whatever its beat is where none is told, and never itself', async () => {
    await beat(b, 3);
    const blame = [a, b, c].map((id) => ({ id, beat: undefined }));
    expect(await roll(a, 1, blame)).toEqual([`${a} alive 1 -`, `${b} dead 3 ${a}`]);
  });

  it('lets one reaper alone say that it is done, and keeps the mark', async () => {
    await beat(b, 1);
    await beat(c, 1);
    await beat(a, 1, [{ id: b, beat: '1' }]);
    expect(await dealtWith(keyspace, c, b)).toBe(false);
    expect(await dealtWith(keyspace, c, a)).toBe(false);
    expect(await dealtWith(keyspace, a, 'nobody')).toBe(false);
    expect(await dealtWith(keyspace, a, b)).toBe(true);
    expect(await dealtWith(keyspace, a, b)).toBe(false);
    expect(await roll(c, 2)).toEqual([`${a} alive 1 -`, `${b} dead 1 +`, `${c} alive 2 -`]);
    expect(await roll(b, 2)).toBeUndefined();
  });

  it('gives the work of a reaper that has gone to the next one, and its own too', async () => {
    await beat(a, 1);
    await beat(b, 1);
    await beat(b, 2, [{ id: a, beat: '1' }]);
    const gone = [`${a} dead 1 ${c}`, `${b} dead 2 ${c}`];
    expect(await roll(c, 1, [{ id: b, beat: '2' }])).toEqual([...gone, `${c} alive 1 -`]);
    await dealtWith(keyspace, c, a);
    expect(await dealtWith(keyspace, b, b)).toBe(false);
    expect(await roll(c, 2)).toEqual([`${a} dead 1 +`, `${b} dead 2 ${c}`, `${c} alive 2 -`]);
  });

  it('lets a member leave once, and tells all nodes', async () => {
    const frames: string[] = [];
    const stop = bus.onPush((frame) => frames.push(String(frame)));
    await beat(a, 1);
    await beat(b, 5);
    expect(await leave(keyspace, b, Buffer.from('look'))).toBe(true);
    expect(await leave(keyspace, b, Buffer.from('look'))).toBe(false);
    expect(await leave(keyspace, c, Buffer.from('look'))).toBe(false);
    await bus.publish(EVERY_NODE, Buffer.alloc(0));
    await vi.waitFor(() => expect(frames).toEqual(['look', '']), { interval: 5 });
    stop();
    expect(await roll(b, 6)).toBeUndefined();
    expect(await roll(a, 2)).toEqual([`${a} alive 2 -`, `${b} left 5 ${a}`]);
    await dealtWith(keyspace, a, b);
    expect(await roll(a, 3)).toEqual([`${a} alive 3 -`, `${b} left 5 +`]);
  });

  it('takes a member back whose entry is missing, unless it was away for too long', async () => {
    expect(await roll(a, 9, [], false)).toBeUndefined();
    expect(await keyspace.hlen(memberKeys.key())).toBe(0);
    expect(await roll(a, 9)).toEqual([`${a} alive 9 -`]);
    expect(await roll(a, 10, [], false)).toEqual([`${a} alive 10 -`]);
  });

  it('takes nobody in who does not understand one that lives', async () => {
    const join = (id: string, oldest: number, newest: number, blame: Blame[] = []) => {
      const frames = { oldest, newest };
      const told = describeMember({ id, name: '","frames":[1,9],"', startedAt: 5, frames, version: '1.2.3' });
      return heartbeat(keyspace, { id, about: told, number: 1, comesBack: true, frames, blame });
    };
    const all = async () => [...(await keyspace.hgetall(memberKeys.key())).keys()].sort();
    await keyspace.hset(memberKeys.key(), [['old', 'alive 5 4 - {}']]);
    expect(await join(a, 2, 3)).toMatchObject({ because: { id: 'old', state: 'alive', beat: '4' } });
    expect(await all()).toEqual(['old']);
    await join(b, 1, 2);
    expect(await join(c, 3, 4, [{ id: 'old', beat: '4' }])).toMatchObject({ because: { id: b, beat: '1' } });
    expect(await join(a, 2, 3, [{ id: 'old', beat: '3' }])).toMatchObject({ because: { id: 'old' } });
    expect(await join(a, 2, 3, [{ id: 'old', beat: '4' }])).toMatchObject({ entries: expect.anything() });
    expect(await join(c, 1, 1)).toMatchObject({ because: { id: a } });
    expect(await all()).toEqual([a, b, 'old']);
  });

  it('takes nobody in who has another secret than one that lives, as far as both tell of it', async () => {
    const join = (id: string, secretCheck?: string) => {
      const told = describeMember({
        id,
        name: '"secretCheck":"00"',
        startedAt: 5,
        frames: FRAMES,
        version: '',
        secretCheck,
      });
      return heartbeat(keyspace, { id, about: told, number: 1, comesBack: true, frames: FRAMES, blame: [] });
    };
    expect(await join(a)).toMatchObject({ entries: [{ id: a }] }); // of a version that does not tell
    expect(await join(b, '1f')).toMatchObject({ entries: expect.anything() });
    expect(await join(c, '2f')).toMatchObject({ because: { id: b } });
    expect(await join(b, '1f')).toMatchObject({ entries: expect.anything() });
    expect(await join(c, '1f')).toMatchObject({ entries: expect.anything() });
  });

  it('forgets in the end who was dealt with, and nobody else', async () => {
    const now = await keyspace.now();
    await keyspace.hset(memberKeys.key(), [
      [b, `dead ${now - REMEMBERED_MS - 1} 4 + `],
      [c, `left ${now - REMEMBERED_MS + 60_000} 4 + `],
      ['d', `dead ${now - 2 * REMEMBERED_MS} 4 gone {}`],
      ['e', `alive ${now - 2 * REMEMBERED_MS} 4 - {}`],
      ['f', `alive ${now + 2 * REMEMBERED_MS} 4 - {}`],
      ['g', 'not an entry'],
    ]);
    const left = [`${a} alive 1 -`, `${c} left 4 +`, `d dead 4 ${a}`, 'e alive 4 -', 'f alive 4 -'];
    expect(await roll(a, 1)).toEqual(left);
    expect([...(await keyspace.hgetall(memberKeys.key())).keys()].sort()).toEqual([a, c, 'd', 'e', 'f', 'g']);
  });
});

it('reads of a member of another version what it can', () => {
  const entry = { id: a, state: 'alive', since: 1, beat: '1', reaper: '-' } as const;
  const unknown = { id: a, name: a, startedAt: 0, frames: { oldest: 1, newest: 1 }, version: '' };
  for (const text of ['', 'null', '[]', '{"name":7}', '{']) {
    expect(memberOf({ ...entry, about: text })).toEqual(unknown);
  }
  expect(memberOf({ ...entry, about: '{"name":"x","frames":[3,5],"more":1}' })).toEqual({
    ...unknown,
    name: 'x',
    frames: { oldest: 3, newest: 5 },
  });
  const name = '","frames":[7,9],"';
  const told = describeMember({ ...unknown, name });
  expect(memberOf({ ...entry, about: told })).toEqual({ ...unknown, name });
});
