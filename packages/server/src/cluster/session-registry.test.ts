import { setImmediate as nextTurn } from 'node:timers/promises';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { UnreliableKeyspace } from '../../../../tests/support/unreliable-keyspace.ts';
import { ResumptionStore } from '../session/resumption/resumption-store.ts';
import type { Session } from '../session/session.ts';
import { recordOf } from '../session/session-record.ts';
import { SessionRegistry } from './session-registry.ts';

const juliet = Jid.parse('juliet@capulet.lit');

async function start() {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  const unreliable = new UnreliableKeyspace(keyspace);
  const newStore = () =>
    new ResumptionStore({ keyspace: unreliable.keyspace, onDamaged: (e) => expect.fail(e.message) });
  const [store, other] = [newStore(), newStore()];
  const evicted: string[] = [];
  const here: Session[] = [];
  const membership: { confirmed: Promise<void> | undefined } = { confirmed: undefined };
  const registryOf = (of: ResumptionStore) =>
    new SessionRegistry({
      store: of,
      sessions: { here: () => here },
      confirmed: () => membership.confirmed,
      again: () => nextTurn(),
      evict: (owner, sid) => void evicted.push(`${sid[0]} of ${owner === store.owner ? 'this' : 'the other'} node`),
      onFault: (error) => expect.fail(String(error)),
    });
  const recorded = async () =>
    (await store.list(juliet)).map(({ record }) => `${record.sid[0]}${record.carbons ? ' carbons' : ''}`);
  return { unreliable, store, other, registry: registryOf(store), evicted, registryOf, recorded, membership, here };
}

const session = (sid: string) => {
  const made = {
    jid: juliet.withResource('balcony'),
    account: juliet,
    sessionId: sid.repeat(16),
    backlog: undefined as { resumable: boolean; recorded(): Promise<void> } | undefined,
    carbons: false,
    interested: false,
    receivingSince: Number.POSITIVE_INFINITY,
    presence: undefined,
    directed: undefined,
    ended: false,
    stream: { mechanism: 'TEST' },
    boundAt: Number(`0x${sid}`),
  };
  return made as typeof made & Session;
};

describe('a session that cannot be resumed', () => {
  it('is recorded once its node is known to be one of the cluster, unless it has ended by then', async () => {
    const { registry, recorded, membership } = await start();
    const { promise, resolve } = Promise.withResolvers<void>();
    membership.confirmed = promise;
    const [one, two] = [session('1'), session('2')];
    registry.bound(one);
    registry.bound(two);
    await nextTurn();
    expect([await recorded(), registry.writing]).toEqual([[], 2]);
    one.ended = true;
    resolve();
    await registry.recorded(two);
    expect(await recorded()).toEqual(['2']);
  });

  it('is recorded from its beginning to its end, as it is', async () => {
    const { registry, recorded } = await start();
    const one = session('1');
    registry.bound(one);
    expect(registry.writing).toBe(1);
    one.carbons = true;
    registry.changed(one);
    await registry.recorded(one);
    expect([await recorded(), registry.writing]).toEqual([['1 carbons'], 0]);
    one.carbons = false;
    registry.changed(one);
    one.carbons = true;
    registry.changed(one);
    one.carbons = false;
    await registry.recorded(one);
    expect(await recorded()).toEqual(['1']);
    one.ended = true;
    await registry.ended(one);
    await registry.ended(one);
    expect(await recorded()).toEqual([]);
  });

  it('that ends at once leaves nothing, even where the keyspace fails meanwhile', async () => {
    const { registry, unreliable, recorded } = await start();
    const fates = ['refused', 'unanswered', 'done', 'refused', 'unanswered'] as const;
    let count = 0;
    unreliable.fate = () => fates[count++] ?? 'done';
    const one = session('1');
    registry.bound(one);
    one.ended = true;
    await registry.ended(one);
    expect(await recorded()).toEqual([]);
  });

  it('ends the one that had its resource, wherever that is', async () => {
    const { registry, registryOf, other, evicted, recorded } = await start();
    const there = registryOf(other);
    const [one, two] = [session('1'), session('2')];
    registry.bound(one);
    await registry.recorded(one);
    there.bound(two);
    await there.recorded(two);
    expect([evicted, await recorded()]).toEqual([['1 of this node'], ['2']]);
    // it finds out by itself, too, and does not end the other one's record
    registry.changed(one);
    await registry.recorded(one);
    expect(evicted).toEqual(['1 of this node', '1 of this node']);
    one.ended = true;
    await registry.ended(one);
    expect(await recorded()).toEqual(['2']);
  });

  it('is recorded anew where the keyspace has lost that', async () => {
    const { registry, store, recorded, evicted } = await start();
    const one = session('1');
    registry.bound(one);
    await registry.recorded(one);
    await store.end(juliet, 'balcony', one.sessionId, 1);
    registry.changed(one);
    await registry.recorded(one);
    expect([await recorded(), evicted]).toEqual([['1'], []]);
  });
});

describe('of two sessions of one resource', () => {
  it('the later one stays, whatever a keyspace that has lost its newest writes remembers', async () => {
    const { registry, store, other, evicted, recorded } = await start();
    const two = session('2');
    registry.bound(two);
    await registry.recorded(two);
    await store.end(juliet, 'balcony', two.sessionId, 0);
    await other.open(juliet, recordOf(session('1'), 4, 60), { handled: 0, origins: new Map() });
    await registry.assert(two);
    expect([await recorded(), evicted]).toEqual([['2'], ['1 of the other node']]);
    await store.end(juliet, 'balcony', two.sessionId, 0);
    await other.open(juliet, recordOf(session('3'), 4, 60), { handled: 0, origins: new Map() });
    await registry.assert(two);
    expect([await recorded(), evicted.slice(1)]).toEqual([['3'], ['2 of this node']]);
  });

  it('one that came while nobody knew whether the other was recorded stays', async () => {
    const { registry, registryOf, other, unreliable, evicted, recorded } = await start();
    const there = registryOf(other);
    const [one, two] = [session('1'), session('2')];
    unreliable.fate = () => 'unanswered';
    registry.bound(one);
    await nextTurn();
    unreliable.fate = () => 'done';
    there.bound(two);
    await there.recorded(two);
    await registry.recorded(one);
    expect([await recorded(), evicted]).toEqual([['2'], ['1 of this node', '1 of this node']]);
  });

  it('the newer one counts as later, though the clock of the other one’s node is ahead', async () => {
    const { registry, other, recorded, store } = await start();
    const one = session('1');
    await other.register(juliet, recordOf(session('9'), 0, 0));
    registry.bound(one);
    await registry.recorded(one);
    expect([await recorded(), one.boundAt, (await store.find(juliet, one.sessionId))?.record.boundAt]).toEqual([
      ['1'],
      10,
      10,
    ]);
  });
});

it('one that can be resumed and was replaced ends when the other comes, though nobody said so', async () => {
  const { registry, store, other, evicted, here } = await start();
  const [one, two] = [session('1'), session('2')];
  one.backlog = { resumable: true, asserted: true } as never;
  here.push(one, { ...session('3'), jid: juliet.withResource('chamber') } as Session);
  await store.open(juliet, recordOf(one, 1, 60), { handled: 0, origins: new Map() });
  const comes = async () => {
    registry.came(one); // itself
    registry.came(two);
    await expect.poll(() => looks.mock.settledResults.every(({ type }) => type !== 'incomplete')).toBe(true);
    await nextTurn();
  };
  const looks = vi.spyOn(store, 'find');
  await comes();
  expect([looks.mock.calls.length, evicted]).toEqual([1, []]); // the other is not recorded yet, or no longer
  await other.register(juliet, recordOf(two, 0, 0));
  one.backlog = { resumable: true, asserted: false } as never;
  await comes();
  expect(evicted).toEqual([]); // a keyspace that has lost its newest writes proves nothing
  one.backlog = { resumable: true, asserted: true } as never;
  await comes();
  expect(evicted).toEqual(['1 of this node']);
  one.backlog = { resumable: false } as never;
  await comes();
  expect(looks).toHaveBeenCalledTimes(3);
});

it('one that can be resumed is its journal’s affair', async () => {
  const { registry, recorded } = await start();
  const one = session('1');
  registry.bound(one);
  await registry.recorded(one);
  let asked = 0;
  one.backlog = { resumable: true, recorded: async () => void asked++ } as never;
  one.carbons = true;
  registry.changed(one);
  await registry.recorded(one);
  await registry.ended(one);
  expect([asked, await recorded()]).toEqual([1, ['1']]);
  registry.forget(one);
  expect(registry.writing).toBe(0);
});
