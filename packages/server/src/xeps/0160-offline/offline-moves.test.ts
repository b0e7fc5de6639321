import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../../../../tests/services/redis.ts';
import { offlineMoves } from './offline-moves.ts';
import { OfflineStore, offlineKeys, offlineStateKeys } from './offline-store.ts';

const [from, to] = ['juliet@x', 'juliet@y'].map((text) => Jid.parse(text)) as [Jid, Jid];
const [rule] = offlineMoves;
const limits = { maxMessages: 10, maxBytes: 10_000 };

it('addresses messages to the new address, and keeps who sent them', () => {
  const converted = (text: string) => String(rule?.convert?.(Buffer.from(text), '', { from, to }));
  expect(converted(`<message to='juliet@x' from='romeo@x'><body>é</body></message>`)).toBe(
    `<message to='juliet@y' from='romeo@x'><body>é</body></message>`,
  );
  expect(converted(`0123456789abcdef 7 <message to='juliet@x/a' from='romeo@x'/>`)).toBe(
    `0123456789abcdef 7 <message to='juliet@y/a' from='romeo@x'/>`,
  );
});

describe.each(['embedded', 'redis'])('on %s', (kind) => {
  it('counts messages that came from elsewhere', async () => {
    const redis = kind === 'redis' ? await startRedis() : undefined;
    const { keyspace } = await openKeyspace(redis?.url ?? 'embedded::memory:');
    onTestFinished(async () => {
      await keyspace.close();
      await redis?.stop();
    });
    const store = new OfflineStore(keyspace);
    await rule?.settle?.(keyspace, { from, to });
    expect(await keyspace.hlen(offlineStateKeys.key(to.bareText))).toBe(0);
    await keyspace.rpush(offlineKeys.key(to.bareText), 'one', 'two');
    await rule?.settle?.(keyspace, { from, to });
    await rule?.settle?.(keyspace, { from, to });
    expect(String(await keyspace.hget(offlineStateKeys.key(to.bareText), 'bytes'))).toBe('6');
    await store.add(to, Buffer.from('three'), limits);
    const { first, texts } = await store.page(to);
    expect(texts.map(String)).toEqual(['one', 'two', 'three']);
    expect(await store.remove(to, first + 3)).toBe(3);
    expect(await keyspace.hlen(offlineStateKeys.key(to.bareText))).toBe(0);
  });
});
