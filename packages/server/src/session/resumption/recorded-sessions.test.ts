import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Redis, startRedis } from '../../../../../tests/services/redis.ts';
import type { JournalHeader } from './journal-header.ts';
import { partitionOf, sessionKeys, waitingIndexKeys } from './resumption-keys.ts';
import type { ResumptionRecord } from './resumption-record.ts';
import { ResumptionStore } from './resumption-store.ts';

const newSid = () => randomBytes(8).toString('hex');
const header = (): JournalHeader => ({ handled: 0, origins: new Map() });

const damaged = vi.fn<(error: KeyspaceError) => void>();
const openStore = (keyspace: Keyspace) => new ResumptionStore({ keyspace, onDamaged: damaged });

let redis: Redis;
const folder = mkdtempSync(join(tmpdir(), 'parley-recorded-'));
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(['memory', 'disk', 'redis'])('on %s', (kind) => {
  let keyspace: Keyspace;
  let store: ResumptionStore;
  let account: Jid;
  let record: ResumptionRecord;
  beforeAll(async () => {
    const urls: Record<string, string> = { memory: 'embedded::memory:', disk: `embedded:${folder}`, redis: redis.url };
    ({ keyspace } = await openKeyspace(urls[kind] ?? ''));
    return () => keyspace.close();
  });
  beforeEach(() => {
    damaged.mockReset();
    store = openStore(keyspace);
    account = Jid.parse(`romeo@montague.${newSid()}`);
    record = {
      resource: 'orchard wall',
      sid: newSid(),
      epoch: 1,
      maxSeconds: 300,
      carbons: true,
      interested: false,
      receiving: false,
      inactive: false,
      boundAt: 1_700_000_000_000,
      presence: "<presence from='romeo@montague.lit/orchard wall'/>",
      directed: ['nurse@capulet.lit'],
      mechanism: 'SCRAM-SHA-256',
    };
  });

  const end = () => store.end(account, record.resource, record.sid, 1);

  it('records one that cannot be resumed, and tells which one had the resource', async () => {
    const passing = { ...record, maxSeconds: 0, receiving: true };
    const other = openStore(keyspace);
    expect(await store.register(account, passing)).toBeUndefined();
    expect(await store.register(account, passing)).toBeUndefined(); // once more
    expect(await store.find(account, record.sid)).toEqual({ account, record: passing, owner: store.owner });
    const next = { ...passing, sid: newSid() };
    expect(await other.register(account, next)).toEqual({
      sid: record.sid,
      owner: store.owner,
      boundAt: record.boundAt,
    });
    expect(await store.list(account)).toEqual([{ account, record: next, owner: other.owner }]);
    expect(await store.find(account, record.sid)).toBeUndefined();
    expect(await store.update(account, passing)).toBe(false);
    expect(await end()).toBeUndefined();
    expect(await other.end(account, next.resource, next.sid, 1)).toEqual([]);
    expect(await store.list(account)).toEqual([]);
  });

  it('forgets what an index says of one that left nothing, as where two ended it', async () => {
    const waiting = async () =>
      (await keyspace.smembers(waitingIndexKeys.key(partitionOf(account))))
        .map(String)
        .filter((member) => member.startsWith(record.sid));
    const left = { out: 1, origin: undefined, at: 1, text: '<message/>' };
    await store.open(account, record, header());
    await store.append(account, record.sid, record.epoch, [left]);
    expect(await end()).toEqual([left]);
    const unfinished = async () => (await Array.fromAsync(store.unfinished())).filter(({ sid }) => sid === record.sid);
    expect([await unfinished(), await waiting()]).toMatchObject([[{ entries: [left] }], [expect.anything()]]);
    await openStore(keyspace).keepWaiting(account.withResource(record.resource), record.sid, 0); // another one of the two
    expect(await waiting()).toHaveLength(1);
    expect([await unfinished(), await waiting()]).toEqual([[], []]);
  });

  it('lists what can be read, and finds one whatever the others are', async () => {
    await store.open(account, record, header());
    await keyspace.hset(sessionKeys.key(account.bareText), [['damaged', Buffer.from('?')]]);
    expect(await store.find(account, record.sid)).toEqual({ account, record, owner: store.owner });
    expect((await store.list(account)).map((session) => session.record)).toEqual([record]);
    expect(damaged).toHaveBeenCalledOnce();
  });
});
