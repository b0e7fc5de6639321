import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { startServer } from '../support/server.ts';

const query = (content: string) => `<query xmlns='${NS.private}'>${content}</query>`;

it('what one client of an account keeps, its others find, and nobody else does', async () => {
  const server = await startServer();
  const desktop = await server.client('hamlet@localhost/denmark');
  const bookmarks = `<storage xmlns='storage:bookmarks'><conference name='Council' jid='council@conference.localhost'/></storage>`;
  expect((await desktop.request('set', query(bookmarks))).attr('type')).toBe('result');

  const phone = await server.client('hamlet@localhost/england');
  const asked = query(`<storage xmlns='storage:bookmarks'/>`);
  expect(String((await phone.request('get', asked)).firstChild)).toBe(query(bookmarks));
  expect(String((await phone.request('get', asked, 'hamlet@localhost')).firstChild)).toBe(query(bookmarks));

  const macbeth = await server.client('macbeth@localhost/castle');
  expect(String((await macbeth.request('get', asked)).firstChild)).toBe(asked);
  for (const type of ['get', 'set'] as const) {
    for (const to of ['hamlet@localhost', 'nobody@localhost']) {
      const refused = await macbeth.request(type, query(bookmarks), to);
      expect([to, refused.child('error')?.firstChild?.name]).toEqual([to, 'service-unavailable']);
    }
  }
  expect(String((await phone.request('get', asked)).firstChild)).toBe(query(bookmarks));
});
