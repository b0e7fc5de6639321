import { expect, it } from 'vitest';
import { startServer } from '../../../../tests/support/server.ts';
import roster from './roster.ts';
import subscription from './subscription.ts';

it('says that contacts can be approved beforehand, once the client is known', async () => {
  const server = await startServer({ modules: [roster, subscription] });
  const feature = 'urn:xmpp:features:pre-approval';
  expect((await server.client('juliet@localhost/balcony')).features?.child('sub', feature)).toBeDefined();
  const stranger = server.connect();
  stranger.open('localhost');
  expect((await stranger.take(({ name }) => name === 'features')).child('sub', feature)).toBeUndefined();
});

it('lets all other presence go on', async () => {
  const server = await startServer({ modules: [roster, subscription] });
  const romeo = await server.client('romeo@localhost/orchard');
  const juliet = await server.client('juliet@localhost/balcony');
  romeo.send(`<presence to='juliet@localhost/balcony'/>`);
  expect((await juliet.nextPresence('romeo@localhost/orchard')).attr('type')).toBeUndefined();
});
