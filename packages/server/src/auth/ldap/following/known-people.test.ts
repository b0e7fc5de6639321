import type { Keyspace } from '@parley/keyspace/keyspace';
import { Jid } from '@parley/xmpp/jid';
import { beforeEach, expect, it } from 'vitest';
import { entryOf } from '../entry.ts';
import type { Person } from '../person.ts';
import type { PersonState } from '../person-state.ts';
import { KnownPeople, type PersonChange } from './known-people.ts';
import { stateAt } from './known-person.ts';
import { personKeys } from './sync-keys.ts';
import { putPerson } from './sync-operations.ts';
import { connectPeers, memoryKeyspace } from './testing-following.ts';

const romeo = Jid.parse('romeo@localhost');
const faults: unknown[] = [];

let keyspace: Keyspace;
let reads: number;
let here: KnownPeople;
let there: KnownPeople;
let now: number;

beforeEach(async () => {
  const real = await memoryKeyspace();
  reads = 0;
  now = 1000;
  faults.length = 0;
  keyspace = Object.create(real, {
    hgetall: {
      value: (key: string) => {
        reads++;
        return real.hgetall(key);
      },
    },
    call: { value: real.call.bind(real) },
    hset: { value: real.hset.bind(real) },
  });
  const nodes = connectPeers(2).map(
    (peers) =>
      new KnownPeople({ directory: 'corp', keyspace, peers, onFault: (error) => faults.push(error), now: () => now }),
  );
  [here, there] = nodes as [KnownPeople, KnownPeople];
});

const write = (state: PersonState, id = '1') =>
  keyspace.call(
    putPerson,
    [personKeys.key(romeo.bareText, 'corp')],
    [1, 'id', id, 'dn', 'cn=romeo', 'state', JSON.stringify(state)],
  );

const person = (state: PersonState, id = '1'): Person => ({
  id,
  dn: 'cn=romeo',
  account: romeo,
  state,
  entry: entryOf('cn=romeo', []),
});

it('has all nodes know of whose entries something has changed, whatever it is', () => {
  const heard: string[] = [];
  here.onTouched((account) => heard.push(`here ${account}`));
  there.onTouched((account) => heard.push(`there ${account}`));
  there.touch([romeo.bareText]);
  expect(heard).toEqual(['there romeo@localhost', 'here romeo@localhost']);
});

it('reads somebody once, and again when it is told of a change', async () => {
  expect(await there.get(romeo)).toBeUndefined();
  await write({ kind: 'active' });
  expect(there.get(romeo)).toBeUndefined();
  const { everywhere } = await here.announce([{ kind: 'added', account: romeo, state: { kind: 'active' } }]);
  await everywhere;
  expect(await there.get(romeo)).toEqual({ id: '1', dn: 'cn=romeo', state: { kind: 'active' } });
  expect(there.get(romeo)).toEqual({ id: '1', dn: 'cn=romeo', state: { kind: 'active' } });
  expect(reads).toBe(2);
});

it('tells listeners here and there, but of nothing that is of no interest', async () => {
  const heard: string[] = [];
  const hear = (where: string) => (change: PersonChange) =>
    void heard.push(`${where} ${change.kind} ${change.account} ${change.elsewhere === true}`);
  here.onChange(hear('here'));
  there.onChange(hear('there'));
  const change = { kind: 'changed', account: romeo, state: { kind: 'disabled' } } as const;
  const { everywhere } = await here.announce([change, { ...change, quiet: true }]);
  await everywhere;
  expect(heard).toEqual(['there changed romeo@localhost true', 'here changed romeo@localhost false']);
});

it('has every listener hear of it, even where one fails', async () => {
  const heard: string[] = [];
  here.onChange(() => Promise.reject(new Error('It has failed.')));
  here.onChange(() => void heard.push('told'));
  await here.announce([{ kind: 'removed', account: romeo, state: { kind: 'active' } }]);
  expect(heard).toEqual(['told']);
  expect(faults).toHaveLength(1);
});

it('knows what a state has become by now', async () => {
  await write({ kind: 'active', expiresAt: 2000 });
  expect(await here.get(romeo)).toMatchObject({ state: { kind: 'active' } });
  now = 2000;
  expect(here.get(romeo)).toMatchObject({ state: { kind: 'expired' } });
  expect(stateAt({ kind: 'locked', until: 2000 }, 1999)).toEqual({ kind: 'locked', until: 2000 });
  expect(stateAt({ kind: 'locked', until: 2000 }, 2000)).toEqual({ kind: 'active' });
});

it('has the node look that follows the directory, where somebody is met who is not known so', async () => {
  const looked: string[] = [];
  const end = here.follow(async (id) => {
    looked.push(id);
    await write({ kind: 'active' });
  });
  await there.learn(person({ kind: 'active' }));
  expect(await there.get(romeo)).toMatchObject({ id: '1', state: { kind: 'active' } });
  await there.learn(person({ kind: 'active' }));
  expect(looked).toEqual(['1']); // the second time nothing was new
  await there.learn(person({ kind: 'disabled' }));
  expect(looked).toEqual(['1', '1']);
  end();
  await there.learn(person({ kind: 'disabled' }));
  expect(looked).toEqual(['1', '1']);
  expect(await there.get(romeo)).toMatchObject({ state: { kind: 'active' } }); // nobody who follows it has said so
});

it('tells of those who logged in while nobody followed the directory, and are not there or not so any more', async () => {
  const juliet = Jid.parse('juliet@localhost');
  const heard: string[] = [];
  there.onChange(({ kind, account, state }) => void heard.push(`${kind} ${account} ${state.kind}`));
  await there.learn(person({ kind: 'active' }));
  await there.learn({ ...person({ kind: 'active' }, '2'), account: juliet });
  await write({ kind: 'disabled' });
  here.completed();
  await expect.poll(() => heard).toEqual(['changed romeo@localhost disabled', 'removed juliet@localhost active']);
  here.completed();
  expect(await there.complete()).toBe(true);
  expect(heard).toHaveLength(2);
});

it('knows when everybody is known', async () => {
  expect(await there.complete()).toBe(false);
  here.completed();
  expect(await there.complete()).toBe(true);
});
