import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';
import { maySeePresence } from './presence-permission.ts';
import { RosterStore } from './roster-store.ts';
import type { Subscription } from './subscription-state.ts';

const juliet = Jid.parse('juliet@capulet.lit');
const romeo = Jid.parse('romeo@montague.lit');

it('is for the owner and those who are subscribed', async () => {
  const { keyspace } = await openKeyspace('embedded::memory:');
  const limits = () => ({ maxItems: 10, maxRequests: 10 });
  const rosters = new RosterStore({ keyspace, isOnline: () => true, limits });
  const may = async (asker: string) => maySeePresence(rosters, juliet, Jid.parse(asker));
  expect(await may('juliet@capulet.lit/balcony')).toBe(true);
  expect(await may('romeo@montague.lit/orchard')).toBe(false);
  const subscriptions: [Subscription, boolean][] = [
    ['to', false],
    ['from', true],
    ['none', false],
    ['both', true],
  ];
  for (const [subscription, expected] of subscriptions) {
    const item = { subscription, ask: false, approved: true, name: undefined, groups: [] };
    await rosters.change(juliet, romeo, () => ({ item }));
    expect([subscription, await may('romeo@montague.lit/orchard')]).toEqual([subscription, expected]);
  }
  expect(await may('montague.lit')).toBe(false);
  await keyspace.close();
});
