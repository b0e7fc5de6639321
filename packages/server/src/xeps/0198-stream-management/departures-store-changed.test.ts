import { setImmediate as nextTurn } from 'node:timers/promises';
import { openKeyspace } from '@parley/keyspace/open';
import type { Stanza } from '@parley/xmpp/stanza';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { JULIET, ManagedSession } from '../../../../../tests/support/managed-session.ts';
import type { Router } from '../../routing/router.ts';
import type { JournalEntry } from '../../session/resumption/journal-entry.ts';
import { handledKeys, partitionOf, sessionKeys, waitingKeys } from '../../session/resumption/resumption-keys.ts';
import { ResumptionStore } from '../../session/resumption/resumption-store.ts';
import { recordOf } from '../../session/session-record.ts';
import { Departures } from './departures.ts';

let store: ResumptionStore;
let other: ResumptionStore;
let departures: Departures;
let juliet: ManagedSession;
let routed: Stanza[];
/** The keyspace remembers the session as it was under this epoch, by this owner, and with so much in its journal. */
let remember: (epoch: number, entries: readonly JournalEntry[], owner?: ResumptionStore) => Promise<void>;
let departuresOf: (of: ResumptionStore) => Departures;

beforeEach(async () => {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  const newStore = () => new ResumptionStore({ keyspace, onDamaged: (error) => expect.fail(error.message) });
  [store, other, routed] = [newStore(), newStore(), []];
  const list = routed;
  departuresOf = (of) =>
    new Departures({
      store: of,
      router: { route: (stanza: Stanza) => void list.push(stanza) } as unknown as Router,
      isHadByOthers: () => false,
      again: () => nextTurn(),
      onUnreadable: (error) => expect.fail(String(error)),
    });
  departures = departuresOf(store);
  juliet = await new ManagedSession({ store }).open();
  const { session } = juliet;
  const partition = partitionOf(JULIET);
  remember = async (epoch, entries, owner = store) => {
    const { sessionId: sid } = session;
    const lost = [sessionKeys.key(JULIET.bareText), handledKeys.key(partition, sid), waitingKeys.key(partition, sid)];
    await keyspace.batch([['del', ...lost, store.journalOf(JULIET.bare, sid, 1)]], { atomic: true });
    await owner.open(JULIET.bare, recordOf(session, epoch, 300), { handled: 0, origins: new Map() });
    if (entries.length > 0) await owner.append(JULIET.bare, sid, epoch, entries);
  };
});

const ids = () => routed.map(({ id }) => id);
const entries = async () => (await store.read(JULIET.bare, juliet.session.sessionId))?.entries ?? [];
const found = async () => (await store.find(JULIET.bare, juliet.session.sessionId))?.record.epoch;

/** Juliet's session ends, and just before the keyspace is asked to end it, it is as `change` has it. */
async function endAfter(change: () => Promise<void>): Promise<void> {
  const { end } = store;
  vi.spyOn(store, 'end').mockImplementationOnce(async (...args) => {
    await change();
    departures.storeChanged();
    return end.apply(store, args);
  });
  juliet.session.finish('over');
  await departures.of(juliet.session);
}

it('forwards all of what a session leaves behind that the store has lost a part of', async () => {
  for (const id of ['1', '2', '3']) await juliet.say(id);
  const kept = await entries();
  await endAfter(() => remember(1, kept.slice(0, 1)));
  const { sessionId } = juliet.session;
  expect([ids(), await found(), await store.waiting(JULIET.bare, sessionId)]).toEqual([['1', '2', '3'], undefined, []]);
  expect(await departures.isOver(sessionId)).toBe(true);
});

it('forwards it, and has the store forget it, where that remembers another epoch and an owner before', async () => {
  for (const id of ['1', '2']) await juliet.say(id);
  await endAfter(() => remember(0, [], other));
  expect([ids(), await found()]).toEqual([['1', '2'], undefined]);
});

it('leaves it to a later owner, whom the store has not forgotten', async () => {
  await juliet.say('1');
  await endAfter(async () => void (await other.claim(JULIET.bare, juliet.session.sessionId)));
  expect([ids(), await found()]).toEqual([[], 2]);
});

it('tells a store of what it lacks before the session ends, where there is time for that', async () => {
  for (const id of ['1', '2']) await juliet.say(id);
  const { promise, resolve } = Promise.withResolvers<void>();
  departures.await(JULIET, promise);
  juliet.session.finish('over');
  const departure = departures.of(juliet.session);
  await remember(1, []);
  departures.storeChanged();
  resolve();
  await departure;
  expect([ids(), await found()]).toEqual([['1', '2'], undefined]);
});

it('numbers what it forwards by what it is: two who route it do not take one for another', async () => {
  for (const id of ['1', '2', '2', '3']) await juliet.say(id);
  const kept = await entries();
  await endAfter(async () => {});
  const numbers = routed.map(({ origin }) => origin?.k);
  expect(new Set(numbers).size).toBe(4);
  await remember(1, kept.slice(0, 2), other);
  await other.end(JULIET.bare, JULIET.resource, juliet.session.sessionId, 1);
  await departuresOf(other).finish(() => true);
  expect(ids()).toEqual(['1', '2', '2', '3', '1', '2']);
  // of two that are the same it does not matter which one that is, as long as there are two in all
  const [one, two] = routed.slice(4).map(({ origin }) => origin?.k);
  expect([one, numbers.slice(1, 3).includes(two)]).toEqual([numbers[0], true]);
});

it('tells stanzas that are the same apart, where the node that routed the first ones has died', async () => {
  for (let count = 0; count < 3; count++) await juliet.say('the same');
  const { sessionId } = juliet.session;
  await store.end(JULIET.bare, JULIET.resource, sessionId, 1);
  const { keepWaiting } = store;
  const dead = Promise.withResolvers<void>();
  vi.spyOn(store, 'keepWaiting').mockImplementation((...args) => {
    if (routed.length < 2) return keepWaiting.apply(store, args);
    dead.resolve();
    return new Promise(() => {});
  });
  void departures.finish(() => true);
  await dead.promise;
  await departuresOf(other).finish(() => true);
  const [first, second, again, third] = routed.map(({ origin }) => origin?.k);
  expect(again).toBe(second);
  expect(new Set([first, second, third]).size).toBe(3);
});

it('routes nothing again of what a node left that is gone, where the keyspace has lost that it was routed', async () => {
  for (const id of ['1', '2']) await juliet.say(id);
  const { session } = juliet;
  const kept = await entries();
  for (let time = 0; time < 2; time++) {
    await remember(1, kept, other);
    await other.end(JULIET.bare, JULIET.resource, session.sessionId, 1);
    await departures.finish((owner) => owner === other.owner);
    expect(ids()).toEqual(['1', '2']);
    expect(await store.waiting(JULIET.bare, session.sessionId)).toEqual([]);
  }
});

it('has the store forget a session that ended here before somebody takes it, unless they have had it since', async () => {
  for (const id of ['1', '2']) await juliet.say(id);
  const { sessionId } = juliet.session;
  const sought = () => departures.sought(JULIET.bare, sessionId);
  await sought();
  expect(await found()).toBe(1);
  const kept = await entries();
  await endAfter(async () => {});
  await sought();
  await remember(1, kept, other);
  await sought();
  expect([ids(), await found(), await store.waiting(JULIET.bare, sessionId)]).toEqual([['1', '2'], undefined, []]);
  await remember(2, kept, other);
  await sought();
  expect(await found()).toBe(2);
});
