import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { Jid } from '@parley/xmpp/jid';
import { expect, it, onTestFinished } from 'vitest';
import { STORED } from '../../session/origins.ts';
import { OfflineStore, offlineKeys, offlineStateKeys, PAGE_MESSAGES, readKept } from './offline-store.ts';

const juliet = Jid.parse('juliet@capulet.lit');
const NO_LIMITS = { maxMessages: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };

async function open(now = Date.now) {
  const { keyspace } = await openEmbedded(undefined, { now });
  onTestFinished(() => keyspace.close());
  const store = new OfflineStore(keyspace);
  const add = (text: string, limits = NO_LIMITS) => store.add(juliet, Buffer.from(text), limits);
  const texts = async () => (await store.page(juliet)).texts.map(String);
  return { keyspace, store, add, texts };
}

it('keeps messages in order until they are removed', async () => {
  const { store, add, texts } = await open();
  expect(await texts()).toEqual([]);
  for (const text of ['a', 'b', 'ç']) expect(await add(text)).toBe('stored');
  const { first } = await store.page(juliet);
  expect(await texts()).toEqual(['a', 'b', 'ç']);
  expect(await store.remove(juliet, first + 2)).toBe(2);
  expect(await add('d')).toBe('stored');
  expect(await texts()).toEqual(['ç', 'd']);
  expect((await store.page(juliet)).first).toBe(first + 2);
});

it('removes nothing twice', async () => {
  const { store, add, texts } = await open();
  for (const text of ['a', 'b', 'c']) await add(text);
  const { first } = await store.page(juliet);
  expect(await store.remove(juliet, first + 1)).toBe(1);
  expect(await store.remove(juliet, first + 1)).toBe(0);
  expect(await texts()).toEqual(['b', 'c']);
});

it('never removes what was stored after the page went, even in another life of the account', async () => {
  let now = 1_000;
  const { keyspace, store, add, texts } = await open(() => now++);
  await add('a');
  const { first } = await store.page(juliet);
  await keyspace.del(offlineKeys.key(juliet.bareText), offlineStateKeys.key(juliet.bareText));
  await add('b');
  expect(await store.remove(juliet, first + 1)).toBe(0);
  expect(await texts()).toEqual(['b']);
});

it('refuses new messages only', async () => {
  const { store, add, texts } = await open();
  const limits = { maxMessages: 2, maxBytes: 10 };
  expect(await add('12345', limits)).toBe('stored');
  expect(await add('123456', limits)).toBe('too many bytes');
  expect(await add('12345', limits)).toBe('stored');
  expect(await add('', limits)).toBe('too many messages');
  expect(await texts()).toEqual(['12345', '12345']);
  const { first } = await store.page(juliet);
  await store.remove(juliet, first + 1);
  expect(await add('12345', limits)).toBe('stored');
});

it('gives pages', async () => {
  const { store, add } = await open();
  for (let i = 0; i < PAGE_MESSAGES + 1; i++) await add(String(i));
  const page = await store.page(juliet);
  expect(page.texts).toHaveLength(PAGE_MESSAGES);
  expect(await store.remove(juliet, page.first + PAGE_MESSAGES)).toBe(PAGE_MESSAGES);
  expect((await store.page(juliet)).texts.map(String)).toEqual([String(PAGE_MESSAGES)]);
});

it('knows who sent what', async () => {
  const { store, add } = await open();
  const origin = { sid: '0123456789abcdef', k: 4_294_967_295, effect: 0 };
  await store.add(juliet, Buffer.from('<message/>'), NO_LIMITS, origin);
  await add('<message>0123456789abcdef 1 </message>');
  const [a, b] = (await store.page(juliet)).texts.map(readKept);
  expect([String(a?.text), a?.origin]).toEqual(['<message/>', { ...origin, effect: STORED }]);
  expect([String(b?.text), b?.origin]).toEqual(['<message>0123456789abcdef 1 </message>', undefined]);
});
