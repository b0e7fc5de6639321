import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { befriend } from '../support/contacts.ts';
import { startServer } from '../support/server.ts';

it('a phone in a pocket is left alone until something matters', async () => {
  const server = await startServer();
  const phone = await server.online('juliet@localhost/phone');
  const romeo = await server.online('romeo@localhost/orchard');
  const nurse = await server.online('nurse@localhost/hall');
  await befriend(phone, romeo);
  await befriend(phone, nurse);

  phone.send(`<inactive xmlns='${NS.clientState}'/>`);
  await phone.sync();
  for (const show of ['away', 'xa', 'dnd']) romeo.send(`<presence><show>${show}</show></presence>`);
  nurse.send('<presence><show>away</show></presence>');
  romeo.send(`<message to='${phone.bare}' type='chat'><composing xmlns='${NS.chatStates}'/></message>`);
  for (const client of [romeo, nurse]) await client.sync();
  expect(phone.inbox).toEqual([]);

  romeo.send(`<message to='${phone.bare}' type='chat'><body>Wake up!</body></message>`);
  const words: string[] = [];
  for (let i = 0; i < 4; i++) {
    const stanza = await phone.next();
    const text = stanza.childText('show') ?? stanza.childText('body') ?? stanza.firstChild?.name;
    words.push(`${stanza.name} ${stanza.attr('from')} ${text}`);
  }
  expect(words).toEqual([
    'presence romeo@localhost/orchard dnd',
    'presence nurse@localhost/hall away',
    'message romeo@localhost/orchard composing',
    'message romeo@localhost/orchard Wake up!',
  ]);

  nurse.send('<presence><show>xa</show></presence>');
  await nurse.sync();
  expect(phone.inbox).toEqual([]);
  phone.send(`<active xmlns='${NS.clientState}'/>`);
  expect((await phone.next()).childText('show')).toBe('xa');
  nurse.send('<presence/>');
  expect((await phone.nextPresence(nurse.jid)).children).toEqual([]);
});
