import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { startServer } from '../support/server.ts';

const chat = (to: string, body: string) => `<message to='${to}' type='chat'><body>${body}</body></message>`;

/** `sent hello` for a copy, `hello` for a message. */
function words(message: Element): string {
  const copy = message.childOf(NS.carbons);
  const inner = copy?.child('forwarded', NS.forward)?.child('message', NS.client);
  if (copy === undefined || inner === undefined) return message.childText('body') ?? '';
  expect(message.attr('from')).toBe(message.attr('to')?.split('/')[0]);
  return `${copy.name} ${inner.childText('body')}`;
}

it('two clients of an account follow one conversation', async () => {
  const server = await startServer();
  const desk = await server.online('romeo@localhost/desk');
  const phone = await server.online('romeo@localhost/phone');
  const juliet = await server.online('juliet@localhost/balcony');
  const info = await desk.request('get', `<query xmlns='${NS.discoInfo}'/>`, 'localhost');
  const features = info.firstChild?.elements.map((element) => element.attr('var'));
  expect(features).toEqual(expect.arrayContaining([NS.carbons, NS.carbonsRules]));
  for (const client of [desk, phone]) {
    expect((await client.request('set', `<enable xmlns='${NS.carbons}'/>`)).attr('type')).toBe('result');
  }

  desk.send(chat('juliet@localhost', 'one'));
  juliet.send(chat(desk.jid, 'two'));
  phone.send(chat(juliet.jid, 'three'));
  juliet.send(chat('romeo@localhost', 'four'));
  const seen = async (client: typeof desk) => {
    const list: string[] = [];
    while (list.at(-1) !== 'four') list.push(words(await client.nextMessage()));
    return list;
  };
  expect(await seen(desk)).toEqual(['two', 'sent three', 'four']);
  expect(await seen(phone)).toEqual(['sent one', 'received two', 'four']);
  expect([words(await juliet.nextMessage()), words(await juliet.nextMessage())]).toEqual(['one', 'three']);
});

it('a copy of who is typing does not wake a phone in a pocket', async () => {
  const server = await startServer();
  const desk = await server.online('romeo@localhost/desk');
  const phone = await server.online('romeo@localhost/phone');
  await phone.request('set', `<enable xmlns='${NS.carbons}'/>`);
  phone.send(`<inactive xmlns='${NS.clientState}'/>`);
  await phone.sync();
  desk.send(`<message to='juliet@localhost' type='chat'><composing xmlns='${NS.chatStates}'/></message>`);
  await desk.sync();
  expect(phone.inbox).toEqual([]);
  desk.send(chat('romeo@localhost/gone', 'hi'));
  expect((await phone.next()).childOf(NS.carbons)?.name).toBe('sent');
  expect(words(await phone.next())).toBe('hi');
});
