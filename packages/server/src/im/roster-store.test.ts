import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RosterStore, type RosterStoreOptions, type RosterWish } from './roster-store.ts';

const romeo = Jid.parse('romeo@montague.example');
const juliet = Jid.parse('juliet@capulet.example');
const nurse = Jid.parse('nurse@capulet.example');

const item = (name?: string, subscription: 'none' | 'both' = 'none') => ({
  subscription,
  ask: false,
  approved: false,
  name,
  groups: [],
});

let keyspace: Keyspace;
let online: Set<string>;

beforeEach(async () => {
  ({ keyspace } = await openKeyspace('embedded::memory:'));
  online = new Set([romeo.bareText]);
  const close = keyspace.close.bind(keyspace);
  onTestFinished(close);
});

function open(options: Partial<RosterStoreOptions> = {}): RosterStore {
  return new RosterStore({
    keyspace,
    isOnline: (account) => online.has(account.bareText),
    limits: () => ({ maxItems: Number.POSITIVE_INFINITY, maxRequests: Number.POSITIVE_INFINITY }),
    ...options,
  });
}

const wish = (value: RosterWish) => () => value;

describe('a roster', () => {
  it('is empty at first', async () => {
    const roster = await open().get(romeo);
    expect([roster.size, roster.version, roster.requests.size]).toEqual([0, 0, 0]);
  });

  it('has what was set, for every store', async () => {
    const store = open();
    const { outcome, before, after } = await store.change(
      romeo,
      nurse,
      wish({ item: { ...item('Nurse'), groups: ['A'] } }),
    );
    expect([outcome, before, after?.name]).toEqual(['done', undefined, 'Nurse']);
    for (const one of [store, open()]) {
      const roster = await one.get(romeo);
      expect(roster.get(nurse)).toEqual(after);
      expect(roster.version).toBe(after?.version);
    }
  });

  it('loses what was removed', async () => {
    const store = open();
    await store.change(romeo, nurse, wish({ item: item() }));
    const { before, after, version } = await store.change(romeo, nurse, wish({ item: 'remove' }));
    expect([before?.jid, after]).toEqual([nurse, undefined]);
    for (const one of [store, open()]) {
      expect((await one.get(romeo)).size).toBe(0);
      expect((await one.get(romeo)).version).toBe(version);
    }
  });

  it('knows who waits, and gives their requests', async () => {
    const store = open();
    await store.change(romeo, juliet, wish({ request: '<presence/>' }));
    for (const one of [store, open()]) expect([...(await one.get(romeo)).requests]).toEqual([juliet.bareText]);
    expect((await store.requests(romeo)).get(juliet.bareText)?.toString()).toBe('<presence/>');
    await store.change(romeo, juliet, wish({ request: 'remove' }));
    expect((await store.get(romeo)).requests.size).toBe(0);
    expect((await store.requests(romeo)).size).toBe(0);
  });
});

describe('a change', () => {
  it('sees the contact as it is', async () => {
    const store = open();
    await store.change(romeo, nurse, wish({ item: item('Nurse'), request: '<presence/>' }));
    const decide = vi.fn(() => undefined);
    const { outcome, after } = await store.change(romeo, nurse, decide);
    expect(outcome).toBe('unchanged');
    expect(decide.mock.calls).toEqual([[after, true]]);
  });

  it('fails with what was thrown, and the next one goes on', async () => {
    const store = open();
    const first = store.change(romeo, nurse, () => {
      throw new Error('no');
    });
    const second = store.change(romeo, nurse, wish({ item: item() }));
    await expect(first).rejects.toThrow('no');
    expect((await second).outcome).toBe('done');
  });

  it('of the same account waits for the one before', async () => {
    const store = open();
    const add = (name: string | undefined) => ({ item: item(`${name ?? ''}x`) });
    await Promise.all([1, 2, 3, 4].map(() => store.change(romeo, nurse, (before) => add(before?.name))));
    expect((await store.get(romeo)).get(nurse)?.name).toBe('xxxx');
  });

  it('begins anew where another node was faster', async () => {
    const [here, there] = [open(), open()];
    await here.change(romeo, nurse, wish({ item: item('x') }));
    await there.get(romeo);
    await here.change(romeo, nurse, wish({ item: item('xy') }));
    const decide = vi.fn((before) => ({ item: item(`${before?.name}z`) }));
    await there.change(romeo, nurse, decide);
    expect(decide).toHaveBeenCalledTimes(2);
    expect((await open().get(romeo)).get(nurse)?.name).toBe('xyz');
  });

  it('is refused where there are as many as there may be', async () => {
    const store = open({ limits: () => ({ maxItems: 1, maxRequests: 1 }) });
    await store.change(romeo, nurse, wish({ item: item() }));
    const refused = await store.change(romeo, juliet, wish({ item: item() }));
    expect([refused.outcome, refused.after]).toEqual(['items', undefined]);
    await store.change(romeo, nurse, wish({ request: '<presence/>' }));
    expect((await store.change(romeo, juliet, wish({ request: '<presence/>' }))).outcome).toBe('requests');
    expect((await store.get(romeo)).size).toBe(1);
  });

  it('whose outcome is unknown makes the roster be read again', async () => {
    const store = open();
    await store.change(romeo, nurse, wish({ item: item('old') }));
    const call = vi.spyOn(keyspace, 'call').mockImplementationOnce(async (operation, keys, args) => {
      await keyspace.call(operation, keys, args);
      throw new Error('lost');
    });
    await expect(store.change(romeo, nurse, wish({ item: item('new') }))).rejects.toThrow('lost');
    expect(call).toHaveBeenCalled();
    expect((await store.get(romeo)).get(nurse)?.name).toBe('new');
  });
});

describe('what is kept decoded', () => {
  it('answers at once while the account is online', async () => {
    const store = open();
    const roster = await store.get(romeo);
    expect(store.get(romeo)).toBe(roster);
    store.forget(romeo);
    expect(store.get(romeo)).toBeInstanceOf(Promise);
  });

  it('is nothing of an account that is not', async () => {
    const store = open();
    await store.get(juliet);
    expect(store.get(juliet)).toBeInstanceOf(Promise);
  });

  it('is read once for all who ask', async () => {
    const batch = vi.spyOn(keyspace, 'batch');
    const store = open();
    const [one, other] = await Promise.all([store.get(romeo), store.get(romeo)]);
    expect(one).toBe(other);
    expect(batch).toHaveBeenCalledTimes(1);
  });

  it('follows the changes', async () => {
    const store = open();
    const roster = await store.get(romeo);
    await store.change(romeo, nurse, wish({ item: item('Nurse', 'both') }));
    expect([...roster.subscribers].map(String)).toEqual([String(nurse)]);
  });

  it('is bounded: the oldest goes', async () => {
    online.add(juliet.bareText);
    const store = open({ mostCachedItems: 3 });
    for (const contact of ['a@x', 'b@x']) await store.change(romeo, Jid.parse(contact), wish({ item: item() }));
    await store.get(juliet);
    for (const contact of ['a@x', 'b@x']) await open().change(juliet, Jid.parse(contact), wish({ item: item() }));
    store.forget(juliet);
    expect(store.get(romeo)).not.toBeInstanceOf(Promise);
    await store.get(juliet);
    expect(store.get(juliet)).not.toBeInstanceOf(Promise);
    expect(store.get(romeo)).toBeInstanceOf(Promise);
  });
});

it('does not keep a roster that somebody who came online has read while it was changed', async () => {
  online.clear();
  const store = open();
  const call = keyspace.call.bind(keyspace);
  vi.spyOn(keyspace, 'call').mockImplementationOnce(async (...change: Parameters<typeof call>) => {
    online.add(romeo.bareText);
    await store.get(romeo);
    return call(...change);
  });
  await store.change(romeo, nurse, wish({ item: item('Nurse') }));
  expect((await store.get(romeo)).get(nurse)?.name).toBe('Nurse');
});
