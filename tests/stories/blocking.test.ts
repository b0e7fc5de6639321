import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { befriend } from '../support/contacts.ts';
import { startServer } from '../support/server.ts';

const request = (name: string, ...jids: string[]) =>
  `<${name} xmlns='${NS.blocking}'>${jids.map((jid) => `<item jid='${jid}'/>`).join('')}</${name}>`;

it('somebody blocks a contact, and forgives', async () => {
  const server = await startServer();
  const juliet = await server.online('juliet@localhost/balcony');
  const paris = await server.online('paris@localhost/tomb');
  const nurse = await server.online('nurse@localhost/hall');
  await befriend(juliet, paris);
  await befriend(juliet, nurse);
  const info = await juliet.request('get', `<query xmlns='${NS.discoInfo}'/>`, 'localhost');
  expect(info.firstChild?.elements.map((element) => element.attr('var'))).toContain(NS.blocking);
  const list = async () => (await juliet.request('get', request('blocklist'))).firstChild?.elements.map(String);
  expect(await list()).toEqual([]);

  expect((await juliet.request('set', request('block', paris.bare))).attr('type')).toBe('result');
  expect((await juliet.nextIq()).firstChild?.name).toBe('block');
  expect((await paris.nextPresence(juliet.jid)).attr('type')).toBe('unavailable');
  expect(await list()).toHaveLength(1);

  paris.send(`<message to='${juliet.bare}' type='chat'><body>Sweet lady?</body></message>`);
  const refusal = await paris.nextMessage(juliet.bare);
  expect(refusal.child('error')?.child('service-unavailable', NS.stanzas)).toBeDefined();
  juliet.send(`<message to='${paris.jid}' type='chat'><body>Go away</body></message>`);
  const own = (await juliet.nextMessage(paris.jid)).child('error');
  expect(own?.child('not-acceptable', NS.stanzas)).toBeDefined();
  expect(own?.child('blocked', NS.blockingErrors)).toBeDefined();

  paris.send('<presence><status>waiting</status></presence>');
  nurse.send('<presence><status>waiting</status></presence>');
  await juliet.nextPresence(nurse.jid);
  juliet.send('<presence><status>busy</status></presence>');
  await nurse.nextPresence(juliet.jid);
  expect((await juliet.sync()).filter((stanza) => stanza.attr('from') === paris.jid)).toEqual([]);
  expect((await paris.sync()).filter((stanza) => stanza.attr('from') === juliet.jid)).toEqual([]);

  await juliet.request('set', request('unblock', paris.bare));
  expect((await paris.nextPresence(juliet.jid)).childText('status')).toBe('busy');
  paris.send(`<message to='${juliet.bare}' type='chat'><body>Thanks</body></message>`);
  expect((await juliet.nextMessage(paris.jid)).childText('body')).toBe('Thanks');
});

it('a block holds while nobody is online, and over the next login', async () => {
  const server = await startServer();
  const juliet = await server.online('juliet@localhost/balcony');
  const paris = await server.online('paris@localhost/tomb');
  const nurse = await server.online('nurse@localhost/hall');
  await befriend(juliet, paris);
  await juliet.request('set', request('block', paris.bare));
  await juliet.close();
  await paris.sync();
  for (const client of [paris, nurse]) {
    client.send(`<message to='${juliet.bare}' type='chat'><body>${client.bare}</body></message>`);
  }
  expect((await paris.nextMessage(juliet.bare)).attr('type')).toBe('error');
  expect(await nurse.sync()).toEqual([]);

  const again = await server.client('juliet@localhost/balcony');
  again.send('<presence/>');
  expect((await again.nextMessage()).childText('body')).toBe(nurse.bare);
  nurse.send(`<message to='${again.jid}'><body>now</body></message>`);
  expect((await again.nextMessage()).childText('body')).toBe('now');
  expect((await again.sync()).filter((stanza) => stanza.attr('from')?.startsWith(paris.bare))).toEqual([]);
  expect(await paris.sync()).toEqual([]);
});
