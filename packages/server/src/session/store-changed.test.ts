// The keyspace loses its newest writes: what answers then is a store that knows less of a session than its owner.
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { expect, it, onTestFinished } from 'vitest';
import { idOf, JULIET, ManagedSession, turns } from '../../../../tests/support/managed-session.ts';
import { type Fate, UnreliableKeyspace } from '../../../../tests/support/unreliable-keyspace.ts';
import { ResumptionStore } from './resumption/resumption-store.ts';

const open = async (): Promise<Keyspace> => {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  return keyspace;
};

/** A session in a primary, and in a replica that has got nothing but its beginning. */
async function start(isUndisputed?: (epoch: number) => Promise<boolean>) {
  const primary = await open();
  const replica = await open();
  let current = primary;
  const switching = new Proxy(primary, {
    get(_, name) {
      const member = Reflect.get(current, name);
      return typeof member === 'function' ? member.bind(current) : member;
    },
  });
  const unreliable = new UnreliableKeyspace(switching);
  const storeOf = (keyspace: Keyspace, owner?: string) =>
    new ResumptionStore({ keyspace, onDamaged: (error) => expect.fail(error.message), ...(owner && { owner }) });
  const store = storeOf(unreliable.keyspace);
  const asked = isUndisputed && { isUndisputed: (_: unknown, epoch: number) => isUndisputed(epoch) };
  const juliet = await new ManagedSession({ store, ...asked }).open();
  current = replica;
  await juliet.open();
  current = primary;
  const promote = () => {
    current = replica;
    juliet.management.backlog.storeChanged();
  };
  const fates = (...list: Fate[]) => {
    unreliable.fate = () => list.shift() ?? 'done';
  };
  return { juliet, promote, fates, storeOf, replica, fail: () => (current = replica) };
}

const written = (juliet: ManagedSession) => juliet.stream.take('message').map(idOf);

it('has everything that the client has not acknowledged written anew, before anything else', async () => {
  const { juliet, promote } = await start();
  await Promise.all([juliet.say('1', 1), juliet.say('2', 2)]);
  promote();
  await juliet.say('3', 3);
  expect(written(juliet)).toEqual(['1', '2', '3']);
  expect(await juliet.journal()).toMatchObject({ epoch: 2, entries: ['1 1', '2 2', '3 3'] });
  await juliet.say('4', 4); // from now on it is as ever
  expect(await juliet.journal()).toMatchObject({ epoch: 2, entries: ['1 1', '2 2', '3 3', '4 4'] });
  expect([juliet.ends, juliet.faults]).toEqual([[], []]);
});

it('is asserted without that anything is to be written', async () => {
  const { juliet, promote } = await start();
  await juliet.say('1');
  juliet.session.carbons = true;
  promote();
  await juliet.management.backlog.recorded();
  expect(await juliet.journal()).toMatchObject({ epoch: 2, entries: ['1 1'] });
});

it('does not take a refusal for the end where the store lost the session while a write was under way', async () => {
  const { juliet, promote, fates } = await start();
  await juliet.resume(0); // under epoch 2, of which the replica knows nothing
  fates('lost');
  const said = juliet.say('1');
  promote();
  await said;
  expect(written(juliet)).toEqual(['1']);
  expect(await juliet.journal()).toMatchObject({ epoch: 3, entries: ['1 1'] });
  expect([juliet.ends, juliet.faults]).toEqual([[], []]);
});

it('is asserted as often as it takes, also where the store changes once more meanwhile', async () => {
  const { juliet, promote, fates } = await start();
  await juliet.say('1');
  promote();
  fates('refused', 'unanswered', 'lost');
  const said = juliet.say('2');
  await turns(3);
  promote();
  await said;
  expect((await juliet.journal())?.entries).toEqual(['1 1', '2 2']);
  expect([juliet.ends, juliet.faults]).toEqual([[], []]);
});

it('resumes with what the client has got, though the store remembers less', async () => {
  const { juliet, promote } = await start();
  await Promise.all([juliet.say('1'), juliet.say('2')]);
  promote();
  expect(await juliet.resume(1)).toBe(true);
  expect(written(juliet)).toEqual(['2']);
  expect((await juliet.journal())?.entries).toEqual(['2 2']);
});

it('is over where a later owner is known to the store', async () => {
  const { juliet, promote, storeOf, replica } = await start();
  await storeOf(replica, 'f'.repeat(16)).claim(JULIET.bare, juliet.session.sessionId);
  promote();
  void juliet.say('1');
  await turns();
  expect(written(juliet)).toEqual([]);
  expect(juliet.ends).toHaveLength(1);
});

it('is written anew only when no other node has it as a later owner', async () => {
  const epochs: number[] = [];
  const answer = Promise.withResolvers<boolean>();
  const { juliet, promote } = await start(async (epoch) => {
    epochs.push(epoch);
    return answer.promise;
  });
  promote();
  const said = juliet.say('1');
  await turns();
  expect([epochs, written(juliet)]).toEqual([[1], []]);
  answer.resolve(true);
  await said;
  expect([written(juliet), juliet.ends]).toEqual([['1'], []]);
});

it('is over where another node has it as a later owner, of which the store knows nothing', async () => {
  const { juliet, promote } = await start(() => Promise.resolve(false));
  promote();
  void juliet.say('1');
  await turns();
  expect([written(juliet), juliet.ends.length, (await juliet.journal())?.epoch]).toEqual([[], 1, 1]);
});

it('is over where it is refused by a store that has lost nothing', async () => {
  const { juliet, fail } = await start();
  await juliet.resume(0);
  fail(); // without that anybody tells
  void juliet.say('1');
  await turns();
  expect(juliet.ends).toHaveLength(1);
});
