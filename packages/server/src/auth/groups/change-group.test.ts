import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Redis, startRedis } from '../../../../../tests/services/redis.ts';
import type { GroupHead } from './group.ts';
import { groupKeys, LAST } from './group-keys.ts';
import { GroupStore } from './group-store.ts';

let redis: Redis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const head: GroupHead = { name: 'Crew', label: 'The crew', source: 'corp', shownTo: 'members' };
const people = (...names: string[]) => new Map(names.map((name) => [`${name}@x`, name]));

describe.each(['embedded', 'redis'])('on %s', (kind) => {
  let keyspace: Keyspace;
  let store: GroupStore;
  beforeAll(async () => {
    ({ keyspace } = await openKeyspace(kind === 'redis' ? redis.url : 'embedded::memory:'));
    store = new GroupStore(keyspace);
  });
  beforeEach(async () => {
    for (const id of (await store.heads()).groups.keys()) await store.remove(id);
    await keyspace.hset(groupKeys.key(), [[LAST, '0']]);
  });
  afterAll(() => keyspace.close());

  it('makes, changes and takes away groups, each time with another revision', async () => {
    expect(await store.change('a', { head, add: people('juliet', 'romeo') })).toEqual({ before: 0, after: 1 });
    expect(await store.change('b', { head: { ...head, name: 'B' } })).toEqual({ before: 0, after: 2 });
    const change = { add: new Map([...people('nurse'), ['romeo@x', '']]), remove: ['juliet@x', 'nobody@x'] };
    expect(await store.change('a', change)).toEqual({ before: 1, after: 3 });
    expect(await store.find('a')).toEqual({
      revision: 3,
      head,
      members: new Map([
        ['romeo@x', ''],
        ['nurse@x', 'nurse'],
      ]),
    });
    expect(await store.change('a', { head: { ...head, label: 'No "crew" {1}' } })).toEqual({ before: 3, after: 4 });
    expect((await store.find('a'))?.head.label).toBe('No "crew" {1}');
    expect((await store.heads()).groups).toEqual(
      new Map([
        ['a', { revision: 4, head: { ...head, label: 'No "crew" {1}' } }],
        ['b', { revision: 2, head: { ...head, name: 'B' } }],
      ]),
    );
    expect(await store.remove('a')).toEqual({ before: 4, after: 5 });
    expect(await store.find('a')).toBeUndefined();
    expect(await store.revision()).toBe(5);
  });

  it('leaves a group that there is not as it is', async () => {
    expect(await store.change('a', { add: people('juliet') })).toEqual({ before: 0, after: 0 });
    expect(await store.remove('a')).toEqual({ before: 0, after: 0 });
    expect(await store.revision()).toBe(0);
    expect(await store.find('a')).toBeUndefined();
  });

  it('takes in very many at once', async () => {
    const many = Array.from({ length: 5000 }, (_, i) => `user${i}`);
    await store.change('a', { head, add: people(...many) });
    await store.change('a', { remove: many.slice(1).map((name) => `${name}@x`) });
    expect((await store.find('a'))?.members).toEqual(people('user0'));
  });
});
