import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { describe, expect, it, vi } from 'vitest';
import { memberKeys } from './member.ts';
import { Membership } from './membership.ts';
import { benches, pass } from './membership-bench.ts';

const bench = benches();

describe('joining', () => {
  it('knows all others at once, and they know it', async () => {
    const a = await bench().join('a');
    expect(a.news()).toEqual([]);
    const b = await bench().join('b');
    expect(b.news()).toEqual(['joined a']);
    expect([...b.membership.members.values()]).toEqual([a.self]);
    await pass(5);
    expect(a.news()).toEqual(['joined b']);
    expect(['a', 'b', 'c'].map((id) => a.membership.isAlive(id))).toEqual([true, true, false]);
    await pass(60_000);
    expect([...a.news(), ...b.news()]).toEqual([]);
  });

  it('waits where the keyspace is away', async () => {
    const a = bench().node('a');
    a.cut();
    const joining = a.join();
    await pass(2500);
    expect(await bench().entry('a')).toEqual(['undefined']);
    a.heal();
    await pass(5);
    await joining;
    expect((await bench().entry('a'))[0]).toBe('alive');
  });

  it('fails where the keyspace is closed or refuses us, or where the id was declared dead', async () => {
    await bench().store.hset(memberKeys.key(), [['a', 'dead 5 1 + ']]);
    await expect(bench().node('a').join()).rejects.toThrow('declared dead before it had joined');
    const b = bench().node('b');
    for (const failure of ['closed', 'refused'] as const) {
      const error = new KeyspaceError(failure, 'It does not work.');
      const host = { ...b.host(), keyspace: { call: () => Promise.reject(error) } as unknown as Keyspace };
      await expect(Membership.join(host)).rejects.toBe(error);
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  it('beats once a second, and leaves nothing behind', async () => {
    const [a] = await bench().cluster('a');
    const before = a.calls;
    await pass(10_000);
    expect(a.calls - before).toBe(10);
    await a.membership.leave();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('leaving', () => {
  it('is seen at once, and somebody deals with what is left', async () => {
    const [a, b, c] = await bench().cluster('a', 'b', 'c');
    await Promise.all([b.membership.leave(), b.membership.leave()]);
    expect(b.membership.isAlive('b')).toBe(false);
    await pass(5);
    expect([...a.news(), ...c.news()].sort()).toEqual(['left b', 'left b', 'reap b']);
    expect((await bench().entry('b'))[3]).toBe('+');
    await pass(60_000);
    expect([...a.news(), ...b.news(), ...c.news()]).toEqual([]);
    expect([a.others, c.others]).toEqual(['c', 'a']);
  });

  it('does not wait for a keyspace that is away', async () => {
    const [a, b] = await bench().cluster('a', 'b');
    b.cut();
    await b.membership[Symbol.asyncDispose]();
    await pass(15_000);
    expect(a.news()).toEqual(['dead b', 'reap b']);
  });
});

describe('death', () => {
  it('is seen within seconds where nobody listens any more', async () => {
    const [a, b, c] = await bench().cluster('a', 'b', 'c');
    await pass(10_000);
    b.kill();
    await pass(2000);
    expect([...a.news(), ...c.news()]).toEqual([]);
    await pass(2100);
    expect([...a.news(), ...c.news()].sort()).toEqual(['dead b', 'dead b', 'reap b']);
  });

  it.each([true, false])('is seen sooner where somebody suspects it: %s', async (suspects) => {
    const [a, b] = await bench().cluster('a', 'b');
    a.lease = { ...a.lease, absentMs: 3500 };
    await pass(10_500);
    b.kill();
    if (suspects) a.membership.suspect('b');
    a.membership.suspect('nobody');
    await pass(2900);
    expect(a.news()).toEqual([]);
    await pass(200);
    expect(a.news()).toEqual(suspects ? ['dead b', 'reap b'] : []);
    await pass(1000);
    expect(a.others).toBe('');
  });

  it('is not taken for granted where a suspected member beats, or somebody still listens', async () => {
    const [a, b] = await bench().cluster('a', 'b');
    a.membership.suspect('b');
    await pass(10_000);
    b.freeze();
    await pass(3500);
    const before = a.calls;
    a.membership.suspect('b');
    await pass(400);
    expect(a.calls - before).toBeLessThan(3);
    b.thaw();
    await pass(20_000);
    expect([...a.news(), ...b.news()]).toEqual([]);
  });

  it('is not looked for while a beat waits for its answer', async () => {
    const [a, b] = await bench().cluster('a', 'b');
    b.kill();
    await pass(2500);
    a.freeze();
    await pass(600);
    a.membership.suspect('b');
    await pass(100);
    a.thaw();
    await pass(3000);
    expect(a.news()).toEqual(['dead b', 'reap b']);
  });

  it('is seen after the lease where frames still find somebody, and the node is fenced when it wakes up', async () => {
    const [a, b, c] = await bench().cluster('a', 'b', 'c');
    await pass(10_000);
    b.freeze();
    await pass(8500);
    a.membership.suspect('b');
    await pass(10);
    expect([...a.news(), ...c.news()]).toEqual([]);
    await pass(3000);
    expect([...a.news(), ...c.news()].sort()).toEqual(['dead b', 'dead b', 'reap b']);
    b.thaw();
    await pass(5);
    expect(b.news()).toEqual(['fenced']);
    expect(b.membership.isAlive('b')).toBe(false);
    await b.membership.leave();
    await pass(5000);
    expect([...a.news(), ...b.news(), ...c.news()]).toEqual([]);
    expect(
      await bench()
        .join('b2')
        .then(({ others }) => others),
    ).toBe('a,c');
  });

  it('of a reaper gives its work to another, and its own', async () => {
    const [a, b, c] = await bench().cluster('a', 'b', 'c');
    for (const node of [a, c]) node.reaps = false;
    await pass(10_000);
    b.kill();
    await pass(5000);
    const [reaper, other] = a.news().includes('reap b') ? [a, c] : [c, a];
    expect(other.news()).toEqual(['dead b']);
    reaper.kill();
    other.reaps = true;
    await pass(5000);
    expect(other.news().sort()).toEqual([`dead ${reaper.self.id}`, `reap b`, `reap ${reaper.self.id}`].sort());
    expect([(await bench().entry('b'))[3], (await bench().entry(reaper.self.id))[3]]).toEqual(['+', '+']);
  });

  it('of all nodes leaves their work to the first that comes later', async () => {
    const all = await bench().cluster('a', 'b');
    for (const node of all) node.kill();
    await pass(600_000);
    const c = await bench().join('c');
    expect(c.news().sort()).toEqual(['joined a', 'joined b']);
    await pass(2000);
    expect(c.news()).toEqual([]);
    await pass(2000);
    expect(c.news()).toEqual(expect.arrayContaining(['dead a', 'dead b', 'reap a', 'reap b']));
    expect(c.others).toBe('');
  });

  it('in order of all nodes, too', async () => {
    const [a] = await bench().cluster('a');
    await a.membership.leave();
    const b = await bench().join('b');
    expect(b.news()).toEqual([]);
    await pass(1);
    expect([b.news(), b.faults, (await bench().entry('a'))[3]]).toEqual([['reap a'], [], '+']);
  });

  it('tells that work is done with a later beat, where the keyspace fails', async () => {
    const [a, b] = await bench().cluster('a', 'b');
    a.reaps = false;
    await b.membership.leave();
    await pass(5);
    a.cut();
    await a.membership.dealtWith('b');
    expect((await bench().entry('b'))[3]).toBe('a');
    a.heal();
    await pass(5);
    expect((await bench().entry('b'))[3]).toBe('+');
    expect(a.news()).toEqual(['left b', 'reap b']);
  });
});

describe('a keyspace that has lost its newest writes', () => {
  it('is told once more what was done of late for gone members', async () => {
    const [a, b] = await bench().cluster('a', 'b');
    a.changeStore();
    await b.membership.leave();
    await pass(1000);
    expect(a.news()).toEqual(['left b', 'reap b']);
    a.changeStore();
    expect(a.news()).toEqual(['reap b']);
    await pass(60_000);
    a.changeStore();
    await pass(1000);
    expect(a.news()).toEqual([]);
  });
});

describe('nobody living is declared dead', () => {
  it('after an outage of Redis, however late they come back', async () => {
    const all = await bench().cluster('a', 'b', 'c');
    await pass(10_000);
    for (const node of all) node.cut();
    await pass(60_000);
    for (const node of all) {
      node.heal();
      await pass(4000);
    }
    await pass(60_000);
    expect(all.flatMap((node) => node.news())).toEqual([]);
  });

  it('after a short outage from which one comes back late', async () => {
    const all = await bench().cluster('a', 'b', 'c');
    await pass(10_000);
    for (const node of all) node.cut();
    await pass(1500);
    for (const node of [all[0], all[1]]) node.heal();
    await pass(4000);
    all[2].heal();
    await pass(20_000);
    expect(all.flatMap((node) => node.news())).toEqual([]);
  });

  it('where Redis, or every node, stands still', async () => {
    const all = await bench().cluster('a', 'b', 'c');
    await pass(10_000);
    for (const node of all) node.freeze();
    await pass(30_000);
    for (const node of all) {
      node.thaw();
      await pass(900);
    }
    await pass(60_000);
    expect(all.flatMap((node) => node.news())).toEqual([]);
  });

  it('where the keyspace turns its clock', async () => {
    const all = await bench().cluster('a', 'b', 'c');
    for (const jump of [3_600_000, -7_200_000, 86_400_000]) {
      await pass(5000);
      bench().clock.offset += jump;
    }
    await pass(30_000);
    expect(all.flatMap((node) => node.news())).toEqual([]);
    // its last beat lies in the future now
    const [a, b, c] = all;
    b.freeze();
    await pass(1000);
    a.kill();
    bench().clock.offset -= 3_600_000;
    b.thaw();
    c.kill();
    await pass(6000);
    expect(b.news()).toContain('dead a');
  });

  it('where the store has lost everything', async () => {
    const all = await bench().cluster('a', 'b', 'c');
    await pass(10_000);
    for (const node of all) node.cut();
    await bench().store.del(memberKeys.key());
    for (const node of all) node.heal();
    await pass(60_000);
    expect(all.flatMap((node) => node.news())).toEqual([]);
    expect(await bench().store.hlen(memberKeys.key())).toBe(3);
  });
});

describe('a store that has lost its latest writes', () => {
  it('does not keep a dead member for living', async () => {
    const [a, b] = await bench().cluster('a', 'b');
    await pass(10_000);
    b.kill();
    await bench().store.del(memberKeys.key());
    await pass(15_000);
    expect(a.news()).toEqual(['dead b']);
    expect(a.others).toBe('');
  });

  it('does not bring back who was declared dead', async () => {
    const [a, b, c] = await bench().cluster('a', 'b', 'c');
    await pass(10_000);
    b.freeze();
    const before = await bench().store.hgetall(memberKeys.key());
    await pass(13_000);
    await bench().store.hset(memberKeys.key(), before);
    b.thaw();
    await pass(3000);
    expect(b.news()).toEqual(['fenced']);
    const told = [...a.news(), ...c.news()];
    expect(told.filter((word) => word === 'dead b')).toHaveLength(2);
    expect(told.filter((word) => word.startsWith('joined'))).toEqual([]);
    expect((await bench().entry('b'))[3]).toBe('+');
  });

  it('throws nobody out, except who was away for longer than the marks of the dead are kept', async () => {
    const [a, b] = await bench().cluster('a', 'b');
    b.cut();
    a.cut();
    await bench().store.del(memberKeys.key());
    await pass(3_500_000);
    a.heal();
    await pass(5000);
    expect(a.news()).toEqual([]);
    await pass(200_000);
    b.heal();
    await pass(5);
    expect(b.news()).toEqual(['fenced']);
    expect(await bench().entry('b')).toEqual(['undefined']);
  });
});

it('tells of faults, and goes on', async () => {
  const a = bench().node('a');
  const bug = new Error('a bug');
  a.onJoined = () => {
    throw bug;
  };
  await a.join();
  const b = await bench().join('b');
  await pass(5);
  expect([a.others, a.faults]).toEqual(['b', [bug]]);
  await bench().store.del(memberKeys.key());
  await bench().store.set(memberKeys.key(), 'something else');
  await pass(1000);
  expect(a.faults).toEqual([bug, expect.objectContaining({ failure: 'misuse' })]);
  await bench().store.del(memberKeys.key());
  await pass(2000);
  expect([a.others, b.others]).toEqual(['b', 'a']);
});

it('ends with the keyspace', async () => {
  const [a] = await bench().cluster('a');
  await bench().store.close();
  await pass(1000);
  expect(vi.getTimerCount()).toBe(0);
  expect([a.news(), a.membership.isAlive('a')]).toEqual([[], false]);
});
