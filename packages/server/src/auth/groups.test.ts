import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Peers } from '../peers.ts';
import type { GroupHead } from './groups/group.ts';
import { GroupStore } from './groups/group-store.ts';
import { Groups } from './groups.ts';

const head: GroupHead = { name: 'crew', label: 'crew', source: 'corp', shownTo: 'members' };
const people = (...names: string[]) => new Map(names.map((name) => [`${name}@x`, name]));
const a = Jid.parse('a@x');

let keyspace: Keyspace;
const open: Groups[] = [];

beforeEach(async () => {
  ({ keyspace } = await openKeyspace('embedded::memory:'));
});
afterEach(async () => {
  for (const groups of open.splice(0)) groups.stop();
  await keyspace.close();
});

/** What a node knows, and what it has heard. */
async function start(peers = new Peers()) {
  const onFault = vi.fn();
  const groups = new Groups({ keyspace, peers, letsGuestsIn: () => false, onFault, settleMs: 20 });
  open.push(groups);
  const heard: string[] = [];
  groups.onChange(({ id, added, removed }) => void heard.push(`${id} +${added.length} -${removed.length}`));
  groups.onSettled(({ id }) => void heard.push(`${id} settled`));
  await groups.start();
  heard.splice(0);
  return { groups, heard, onFault };
}

/** Two nodes; what the first one tells gets lost where `lost` says so. */
async function startTwo(lost: (subject: string) => boolean = () => false) {
  const [one, two] = [new Peers(), new Peers()];
  one.connect(async (subject, text) => {
    if (!lost(subject)) await two.receive(subject, text);
  });
  two.connect(async (subject, text) => void (await one.receive(subject, text)));
  return [await start(one), await start(two)] as const;
}

describe('groups', () => {
  it('are known at once where they are changed, and after a new start', async () => {
    const { groups, heard } = await start();
    expect(await groups.change('g', { add: people('a') })).toBe(false);
    expect(await groups.change('g', { head, add: people('a', 'b') })).toBe(true);
    expect(heard).toEqual(['g +2 -0', 'g settled']);
    expect([groups.isMember(a, 'Crew'), groups.isMemberOfAny(a, ['x', 'corp/crew'])]).toEqual([true, true]);
    expect(groups.of(a).map(({ name }) => name)).toEqual(['crew']);
    const { groups: again } = await start();
    expect([...(again.get('g')?.members.keys() ?? [])]).toEqual(['a@x', 'b@x']);
    await groups.remove('g');
    expect(groups.get('g')).toBeUndefined();
    await again.check();
    expect(again.get('g')).toBeUndefined();
  });

  it('take in very many people in several changes', async () => {
    const { groups, heard } = await start();
    const many = Array.from({ length: 1200 }, (_, i) => `user${i}`);
    await groups.change('g', { head, add: people(...many) });
    expect(groups.get('g')?.members.size).toBe(1200);
    await groups.change('g', { add: people('a'), remove: [...people(...many).keys()] });
    expect([...(groups.get('g')?.members.keys() ?? [])]).toEqual(['a@x']);
    expect(heard.filter((line) => line.endsWith('settled'))).toHaveLength(6);
  });
});

describe('another node', () => {
  it('knows a change before anybody does what follows from it', async () => {
    const [one, two] = await startTwo();
    const order: string[] = [];
    two.groups.onChange(() => void order.push('two knows'));
    one.groups.onSettled(() => void order.push('one does'));
    two.groups.onSettled(() => void order.push('two does'));
    await one.groups.change('g', { head, add: people('a') });
    expect(order).toEqual(['two knows', 'one does', 'two does']);
    expect(two.groups.isMember(a, 'crew')).toBe(true);
    await two.groups.change('g', { remove: ['a@x'] });
    expect(one.groups.isMember(a, 'crew')).toBe(false);
  });

  it('finds what it has missed when it is told of something else', async () => {
    let lost = true;
    const [one, two] = await startTwo(() => lost);
    await one.groups.change('g', { head, add: people('a') });
    await one.groups.change('h', { head: { ...head, name: 'h' }, add: people('b') });
    await one.groups.remove('h');
    lost = false;
    expect(two.heard).toEqual([]);
    await one.groups.change('i', { head: { ...head, name: 'i' } });
    expect(two.groups.isMember(a, 'crew')).toBe(true);
    expect(two.groups.get('h')).toBeUndefined();
    await one.groups.change('g', { add: people('b') });
    expect([...(two.groups.get('g')?.members.keys() ?? [])]).toEqual(['a@x', 'b@x']);
  });

  it('finds it when it looks', async () => {
    const [one, two] = await startTwo(() => true);
    await one.groups.change('g', { head, add: people('a') });
    await two.groups.check();
    expect(two.groups.isMember(a, 'crew')).toBe(true);
    const heads = vi.spyOn(GroupStore.prototype, 'heads');
    await two.groups.check();
    expect(heads).not.toHaveBeenCalled();
  });

  it('does what follows in the end where nobody tells that all know', async () => {
    const [one, two] = await startTwo((subject) => subject === 'groups-settled');
    await one.groups.change('g', { head, add: people('a') });
    expect(two.heard).toEqual(['g +1 -0']);
    await expect.poll(() => two.heard).toEqual(['g +1 -0', 'g settled']);
  });

  it('goes back to what the keyspace has where that has lost something', async () => {
    const { groups } = await start();
    await groups.change('g', { head, add: people('a') });
    const before = await keyspace.hgetall('groups:{global}');
    const members = await keyspace.hgetall('group-members:{global}:g');
    await groups.change('g', { add: people('b') });
    await keyspace.del('groups:{global}', 'group-members:{global}:g');
    await keyspace.hset('groups:{global}', before);
    await keyspace.hset('group-members:{global}:g', members);
    await groups.load();
    expect([...(groups.get('g')?.members.keys() ?? [])]).toEqual(['a@x']);
  });
});

it('what a listener throws is told, and felt by nobody', async () => {
  const { groups, onFault, heard } = await start();
  const fault = new Error('a bug');
  groups.onSettled(() => Promise.reject(fault));
  await groups.change('g', { head });
  await expect.poll(() => onFault.mock.calls).toEqual([[fault]]);
  expect(heard).toEqual(['g +0 -0', 'g settled']);
});
