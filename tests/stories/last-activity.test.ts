import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { befriend } from '../support/contacts.ts';
import { startServer } from '../support/server.ts';

const LAST = `<query xmlns='${NS.last}'/>`;

it('contacts learn since when somebody is away and what they said last; strangers do not', async () => {
  const server = await startServer();
  const romeo = await server.online('romeo@localhost/orchard');
  const juliet = await server.online('juliet@localhost/balcony');
  const tybalt = await server.online('tybalt@localhost/street');
  await befriend(romeo, juliet);
  expect((await romeo.request('get', LAST, 'juliet@localhost')).firstChild?.attr('seconds')).toBe('0');

  juliet.send(`<presence type='unavailable'><status>Heading Home</status></presence>`);
  await juliet.close();
  const last = (await romeo.request('get', LAST, 'juliet@localhost')).firstChild;
  expect(last?.text).toBe('Heading Home');
  expect(last?.attr('seconds')).toMatch(/^\d+$/);
  const refused = await tybalt.request('get', LAST, 'juliet@localhost');
  expect(refused.child('error')?.firstChild?.name).toBe('service-unavailable'); // as for nobody
});
