import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';
import { ActivityStore } from './activity-store.ts';

const juliet = Jid.parse('juliet@capulet.com');

it('keeps the last time and status of each account', async () => {
  const { keyspace } = await openKeyspace('embedded::memory:');
  const store = new ActivityStore(keyspace);
  expect(await store.get(juliet)).toBeUndefined();
  await store.set(juliet, { time: 1, status: '' });
  expect(await store.get(juliet.withResource('balcony'))).toEqual({ time: 1, status: '' });
  await store.set(juliet.withResource('balcony'), { time: 1_500_000_000_000, status: ' Heading  Home' });
  expect(await store.get(juliet)).toEqual({ time: 1_500_000_000_000, status: ' Heading  Home' });
  await keyspace.close();
});

it('cuts a long status between two characters', async () => {
  const { keyspace } = await openKeyspace('embedded::memory:');
  const store = new ActivityStore(keyspace);
  await store.set(juliet, { time: 1, status: `${'a'.repeat(1022)}\u{1F600}b` });
  expect((await store.get(juliet))?.status).toBe('a'.repeat(1022));
  await keyspace.close();
});
