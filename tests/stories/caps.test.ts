import { verificationString } from '@parley/xmpp/caps';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { befriend } from '../support/contacts.ts';
import { startServer } from '../support/server.ts';

it('a client that knows the string in the stream features need not ask what the server can do', async () => {
  const server = await startServer({ config: { contact: { support: ['xmpp:support@localhost'] } } });
  const romeo = await server.client('romeo@localhost/orchard');
  const caps = romeo.features?.child('c', NS.caps);
  const node = `${caps?.attr('node')}#${caps?.attr('ver')}`;
  const query = (await romeo.request('get', `<query xmlns='${NS.discoInfo}' node='${node}'/>`, 'localhost')).firstChild;
  expect(query?.attr('node')).toBe(node);
  expect(verificationString(query?.elements ?? [])).toBe(caps?.attr('ver'));

  const juliet = await server.client('juliet@localhost/balcony');
  expect(juliet.features?.child('c', NS.caps)).toEqual(caps);
});

it('what a client can do reaches its contacts, and the question for it reaches the client', async () => {
  const server = await startServer();
  const romeo = await server.online('romeo@localhost/orchard');
  const juliet = await server.online('juliet@localhost/balcony');
  await befriend(juliet, romeo);
  romeo.send(
    `<presence><c xmlns='${NS.caps}' hash='sha-1' node='http://code.google.com/p/exodus' ver='QgayPKawpkPSDYmwT/WM94uAlu0='/></presence>`,
  );
  const presence = await juliet.take(
    (element) => element.name === 'presence' && element.child('c', NS.caps) !== undefined,
  );
  expect(presence.child('c', NS.caps)?.attr('ver')).toBe('QgayPKawpkPSDYmwT/WM94uAlu0=');

  const node = 'http://code.google.com/p/exodus#QgayPKawpkPSDYmwT/WM94uAlu0=';
  const answer = juliet.request('get', `<query xmlns='${NS.discoInfo}' node='${node}'/>`, romeo.jid);
  const asked = await romeo.nextIq(juliet.jid);
  expect(asked.firstChild?.attr('node')).toBe(node);
  romeo.send(`<iq type='result' id='${asked.attr('id')}' to='${juliet.jid}'/>`);
  expect((await answer).attr('from')).toBe(romeo.jid);
});
