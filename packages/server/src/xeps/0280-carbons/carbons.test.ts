import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, it } from 'vitest';
import type { TestClient } from '../../../../../tests/support/client.ts';
import { startServer } from '../../../../../tests/support/server.ts';
import presence from '../../im/presence.ts';
import roster from '../../im/roster.ts';
import offline from '../0160-offline/offline.ts';
import carbons from './carbons.ts';

const enable = (client: TestClient) => client.request('set', `<enable xmlns='${NS.carbons}'/>`);
const disable = (client: TestClient) => client.request('set', `<disable xmlns='${NS.carbons}'/>`);

/** Romeo with three clients, of which two want copies, and Juliet. */
async function start() {
  const server = await startServer({ modules: [roster, presence, carbons, offline] });
  const desk = await server.online('romeo@localhost/desk', '<presence><priority>-1</priority></presence>');
  const phone = await server.online('romeo@localhost/phone');
  const old = await server.online('romeo@localhost/old');
  for (const client of [desk, phone]) await enable(client);
  const juliet = await server.online('juliet@localhost/balcony');
  const clients = [desk, phone, old];
  for (const client of clients) await client.sync();
  /** What each of Romeo's clients has got, in few words. */
  const got = async () => {
    const words: string[] = [];
    for (const client of clients) words.push((await client.sync()).map(describeMessage).join(', '));
    return words;
  };
  return { server, desk, phone, old, juliet, got };
}

const innerOf = (copy: Element) => copy.elements[0]?.child('forwarded', NS.forward)?.child('message', NS.client);

function describeMessage(stanza: Element): string {
  const copy = stanza.childOf(NS.carbons);
  const words = (message: Element) => message.childText('body') ?? message.child('error')?.firstChild?.name ?? '';
  if (copy === undefined || innerOf(stanza) === undefined) return words(stanza);
  return `${copy.name} ${words(innerOf(stanza) as Element)}`;
}

describe('a message to the account', () => {
  it('is copied to those that it was not for', async () => {
    const { desk, juliet, got } = await start();
    juliet.send(`<message to='romeo@localhost/phone' type='chat' id='m1'><body>1</body></message>`);
    const copy = await desk.nextMessage();
    expect(copy.attr('from')).toBe('romeo@localhost');
    expect(copy.attr('to')).toBe('romeo@localhost/desk');
    expect(copy.attr('type')).toBe('chat');
    expect(copy.attr('id')).toBeUndefined();
    expect(innerOf(copy)?.toString()).toBe(
      `<message xmlns='${NS.client}' to='romeo@localhost/phone' from='juliet@localhost/balcony' id='m1' type='chat'><body>1</body></message>`,
    );
    expect(await got()).toEqual(['', '1', '']);
    juliet.send(`<message to='romeo@localhost' type='chat'><body>2</body></message>`);
    expect(await got()).toEqual(['received 2', '2', '2']);
    juliet.send(`<message to='romeo@localhost/gone' type='chat'><body>3</body></message>`);
    expect(await got()).toEqual(['received 3', '3', '3']);
  });

  it('is not copied where it comes to nothing', async () => {
    const { juliet, got } = await start();
    juliet.send(`<message to='romeo@localhost/gone' id='m1'><body>1</body></message>`);
    expect((await juliet.nextMessage()).attr('type')).toBe('error');
    expect(await got()).toEqual(['', '', '']);
  });

  it.each([
    ['a room’s', `type='groupchat'`, ''],
    ['a headline', `type='headline'`, ''],
    ['private', `type='chat'`, `<private xmlns='${NS.carbons}'/><no-copy xmlns='${NS.hints}'/>`],
  ])('is not copied where it is %s', async (_, type, content) => {
    const { juliet, phone, got } = await start();
    juliet.send(`<message to='romeo@localhost/phone' ${type}><body>1</body>${content}</message>`);
    const message = await phone.nextMessage();
    expect(message.elements).toHaveLength(content === '' ? 1 : 3);
    expect(await got()).toEqual(['', '', '']);
  });

  it('is copied to nobody once nobody wants it', async () => {
    const { juliet, desk, phone, got } = await start();
    for (const client of [desk, phone, phone]) expect((await disable(client)).attr('type')).toBe('result');
    juliet.send(`<message to='romeo@localhost/old' type='chat'><body>1</body></message>`);
    expect(await got()).toEqual(['', '', '1']);
    for (let i = 0; i < 2; i++) expect((await enable(desk)).attr('type')).toBe('result');
    juliet.send(`<message to='romeo@localhost/old' type='chat'><body>2</body></message>`);
    expect(await got()).toEqual(['received 2', '', '2']);
  });
});

describe('a message from the account', () => {
  it('is copied to the others, whatever the sender wants', async () => {
    const { phone, old, juliet, got } = await start();
    phone.send(`<message to='juliet@localhost' type='chat' id='m1'><body>1</body></message>`);
    expect(await got()).toEqual(['sent 1', '', '']);
    old.send(`<message to='juliet@localhost'><body>2</body></message>`);
    expect(await got()).toEqual(['sent 2', 'sent 2', '']);
    for (const body of ['1', '2']) expect((await juliet.nextMessage()).childText('body')).toBe(body);
    old.send(`<message to='juliet@localhost'><x xmlns='urn:x'/></message>`);
    expect(await got()).toEqual(['', '', '']);
  });

  it('comes once to each where it goes to the account itself', async () => {
    const { phone, got } = await start();
    phone.send(`<message to='romeo@localhost/old' type='chat'><body>1</body></message>`);
    expect(await got()).toEqual(['received 1', '', '1']);
    phone.send(`<message to='romeo@localhost' type='chat'><body>2</body></message>`);
    expect(await got()).toEqual(['received 2', '2', '2']);
    phone.send(`<message type='chat'><body>3</body></message>`);
    expect(await got()).toEqual(['received 3', '3', '3']);
  });

  it('has its error copied', async () => {
    const { phone, got } = await start();
    phone.send(`<message to='nobody@localhost' type='chat' id='m1'><body>1</body></message>`);
    expect(describeMessage(await phone.nextMessage())).toBe('service-unavailable');
    expect(await got()).toEqual(['sent 1, received service-unavailable', '', '']);
    phone.send(`<message to='nobody@localhost' type='headline' id='m2'/><message to='nobody@localhost' id='m3'/>`);
    expect((await phone.nextMessage()).attr('id')).toBe('m3');
    expect(await got()).toEqual(['', '', '']);
  });
});

it('never answers the error of a copy', async () => {
  const { desk, juliet, got } = await start();
  juliet.send(`<message to='romeo@localhost/phone' type='chat' id='m1'><body>1</body></message>`);
  await got();
  desk.send(`<message to='romeo@localhost' type='error' id='m1'><error type='cancel'/></message>`);
  expect(await got()).toEqual(['', '', '']);
  expect(await juliet.sync()).toEqual([]);
});

it('is for the account’s own clients', async () => {
  const { juliet } = await start();
  for (const name of ['enable', 'disable']) {
    const answer = await juliet.request('set', `<${name} xmlns='${NS.carbons}'/>`, 'romeo@localhost');
    expect(answer.child('error')?.child('service-unavailable', NS.stanzas)).toBeDefined();
  }
});
