import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Redis, startRedis } from '../../../../../tests/services/redis.ts';
import type { JournalEntry } from './journal-entry.ts';
import { queueIndexKeys } from './resumption-keys.ts';
import { blankRecord } from './resumption-record.ts';
import { ResumptionStore } from './resumption-store.ts';

const REMOTE = Jid.parse('remote.example');
const header = { handled: 0, origins: new Map() };
const entry: JournalEntry = { out: 1, origin: undefined, at: 1, text: '<message/>' };
const fault = (error: unknown) => {
  throw error;
};

const record = (sid: string, resource = 'our.example') =>
  blankRecord({ resource, sid: sid.repeat(16), epoch: 1, maxSeconds: 1, boundAt: 1, peerStream: 'a' });

let redis: Redis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

describe.each(['memory', 'redis'])('queues to other servers on %s', (kind) => {
  let keyspace: Keyspace;
  beforeAll(async () => {
    ({ keyspace } = await openKeyspace(kind === 'redis' ? redis.url : 'embedded::memory:'));
    return () => keyspace.close();
  });
  const open = () => new ResumptionStore({ keyspace, onDamaged: fault });
  const listed = async (store: ResumptionStore, index?: typeof queueIndexKeys) =>
    (await Array.fromAsync(store.all(index))).flat().map((each) => [each.account.toString(), each.record.resource]);

  it('there is one for each pair of domains: who comes second learns whose it is', async () => {
    const [one, two] = [open(), open()];
    expect(await one.openQueue(REMOTE, record('a'), header)).toBeUndefined();
    expect(await one.openQueue(REMOTE, record('a'), header)).toBeUndefined(); // nobody knew whether it was done
    const found = { sid: 'a'.repeat(16), owner: one.owner, boundAt: 1 };
    expect(await two.openQueue(REMOTE, record('b'), header)).toEqual(found);
    expect(await two.openQueue(REMOTE, record('c', 'other.example'), header)).toBeUndefined();

    // whoever looks for clients does not find them
    expect(await listed(one)).toEqual([]);
    expect((await listed(one, queueIndexKeys)).toSorted()).toEqual([
      ['remote.example', 'other.example'],
      ['remote.example', 'our.example'],
    ]);

    expect(await one.append(REMOTE, 'a'.repeat(16), 1, [entry])).toBe(true);
    const kept = await two.claim(REMOTE, 'a'.repeat(16));
    expect([kept?.entries, kept?.record.epoch, kept?.record.peerStream]).toEqual([[entry], 2, 'a']);
    expect(await one.append(REMOTE, 'a'.repeat(16), 1, [entry])).toBe(false);
    expect(await two.end(REMOTE, 'our.example', 'a'.repeat(16), 2)).toEqual([entry]);
    await two.keepWaiting(REMOTE.withResource('our.example'), 'a'.repeat(16), 0);
    expect(await two.openQueue(REMOTE, record('d'), header)).toBeUndefined();
    expect(await two.end(REMOTE, 'our.example', 'd'.repeat(16), 1)).toEqual([]);
    expect(await listed(two, queueIndexKeys)).toEqual([['remote.example', 'other.example']]);
  });
});
