// What records a session may come late, over a connection that is gone: it must not take the place of what came since.
import { randomBytes } from 'node:crypto';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Redis, startRedis } from '../../../../../tests/services/redis.ts';
import type { ResumptionRecord } from './resumption-record.ts';
import { NOT_RESUMABLE, ResumptionStore } from './resumption-store.ts';

const header = (handled = 0) => ({ handled, origins: new Map<string, number>() });
const resource = 'orchard';

const recordOf = (epoch = 1): ResumptionRecord => ({
  resource,
  sid: randomBytes(8).toString('hex'),
  epoch,
  maxSeconds: 300,
  carbons: false,
  interested: false,
  receiving: false,
  inactive: false,
  boundAt: 1_700_000_000_000,
  presence: undefined,
  directed: [],
  mechanism: 'SCRAM-SHA-256',
});

let redis: Redis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

describe.each(['memory', 'redis'])('on %s', (kind) => {
  let keyspace: Keyspace;
  let store: ResumptionStore;
  let account: Jid;
  let record: ResumptionRecord;
  let other: ResumptionRecord;
  beforeAll(async () => {
    ({ keyspace } = await openKeyspace(kind === 'redis' ? redis.url : 'embedded::memory:'));
    store = new ResumptionStore({ keyspace, onDamaged: (error) => expect.fail(error.message) });
    return () => keyspace.close();
  });
  beforeEach(() => {
    account = Jid.parse(`romeo@montague.${randomBytes(4).toString('hex')}`);
    record = recordOf();
    other = recordOf();
  });

  const end = (epoch = 1) => store.end(account, resource, record.sid, epoch);
  const recorded = async () => (await store.list(account)).map(({ record: { sid } }) => sid);

  it.each(['open', 'register'] as const)('does not %s a session that has ended', async (way) => {
    const begin = () => (way === 'open' ? store.open(account, record, header()) : store.register(account, record));
    await end(); // which is sure to be executed, be it that the other is still on its way
    await store.register(account, other);
    expect(await begin()).toBe(way === 'open' ? false : undefined);
    expect(await recorded()).toEqual([other.sid]);
    expect(await store.read(account, record.sid)).toBeUndefined();
  });

  it('one that can be resumed by now is not registered again, nor changed as if it could not be', async () => {
    const before = { ...record, epoch: NOT_RESUMABLE, maxSeconds: 0 };
    await store.register(account, before);
    expect(await store.open(account, record, header())).toBe(true);
    expect(await store.register(account, before)).toBeUndefined();
    expect(await store.update(account, before)).toBe(false);
    expect((await store.read(account, record.sid))?.record.maxSeconds).toBe(300);
    expect(await store.register(account, other)).toMatchObject({ sid: record.sid });
  });

  it('an owner of before that ends a session keeps nobody from having it', async () => {
    await store.open(account, record, header(3));
    await store.takeOver(account, resource, record.sid, 1, header(3), []);
    expect(await end()).toBeUndefined();
    expect(await store.lastHandled(account, record.sid)).toBeUndefined();
    expect((await store.read(account, record.sid))?.header.handled).toBe(3);
    expect(await end(2)).toEqual([]);
    expect(await store.lastHandled(account, record.sid)).toBe(3);
  });

  it('a new owner may record with the same stroke what the session is now', async () => {
    await store.open(account, record, header(3));
    const next = { ...record, epoch: 2, carbons: true, presence: `<presence from='${account}/${resource}'/>` };
    const takeOver = () => store.takeOver(account, resource, record.sid, 1, header(4), [], undefined, next);
    expect([await takeOver(), await takeOver()]).toEqual([true, true]);
    expect(await store.read(account, record.sid)).toMatchObject({ record: next, header: header(4) });
    expect(await store.update(account, next)).toBe(true);
    await store.takeOver(account, resource, record.sid, 2, header(5), []);
    expect((await store.read(account, record.sid))?.record).toEqual({ ...next, epoch: 3 });
  });
});
