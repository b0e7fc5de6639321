import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Redis, startRedis } from '../../../../../tests/services/redis.ts';
import { addImported } from './imported-store.ts';
import { OfflineStore } from './offline-store.ts';

let redis: Redis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const none = { maxMessages: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };

describe.each(['embedded', 'redis'])('on %s', (kind) => {
  let keyspace: Keyspace;
  beforeAll(async () => {
    ({ keyspace } = await openKeyspace(kind === 'redis' ? redis.url : 'embedded::memory:'));
  });
  afterAll(() => keyspace.close());

  it('adds each message once, however often it comes, and also when it was read meanwhile', async () => {
    const account = Jid.parse('once@x');
    const store = new OfflineStore(keyspace);
    const waiting = async () => (await store.page(account)).texts.map(String);
    expect(await addImported(keyspace, account, ['a', 'b', 'a'], none)).toBe(0);
    expect(await addImported(keyspace, account, ['a', 'b', 'a'], none)).toBe(0);
    expect(await waiting()).toEqual(['a', 'b', 'a']);
    const { first } = await store.page(account);
    await store.remove(account, first + 3);
    expect(await addImported(keyspace, account, ['a', 'b', 'a', 'c'], none)).toBe(0);
    expect(await waiting()).toEqual(['c']);
  });

  it('keeps to limits, and takes more once there is room', async () => {
    const account = Jid.parse('limits@x');
    const store = new OfflineStore(keyspace);
    const texts = Array.from({ length: 250 }, (_, n) => `m${n}`);
    expect(await addImported(keyspace, account, texts, { ...none, maxMessages: 120 })).toBe(130);
    expect(await addImported(keyspace, account, texts, { ...none, maxBytes: 10 })).toBe(130);
    expect(await addImported(keyspace, account, texts, none)).toBe(0);
    let all: string[] = [];
    for (
      let page = await store.page(account);
      page.texts.length > 0;
      page = await store.page(account, page.first + page.texts.length)
    ) {
      all = [...all, ...page.texts.map(String)];
    }
    expect(all).toEqual(texts);
  });
});
