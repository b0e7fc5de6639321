import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Presence } from '@parley/xmpp/stanza';
import { describe, expect, it, vi } from 'vitest';
import { startServer } from '../../../../../tests/support/server.ts';
import { defineModule } from '../../module.ts';
import offline from './offline.ts';

/** As much of presence as matters here. */
const availability = defineModule({
  name: 'availability',
  setup({ hooks }) {
    hooks.fromClient.use('deliver', (stanza, session) => {
      if (stanza.kind !== 'presence' || stanza.to !== undefined) return false;
      session.presence = stanza.type === 'unavailable' ? undefined : (stanza as Presence);
      session.priority = Number(stanza.childText('priority') ?? 0);
      if (session.presence !== undefined) hooks.events.emit('presence.available', session, true);
      else hooks.events.emit('presence.unavailable', session);
      return true;
    });
  },
});

async function start(limits: object = {}) {
  const server = await startServer({ modules: [availability, offline], config: { offline: limits } });
  await server.account('juliet@localhost');
  const romeo = await server.client('romeo@localhost/orchard');
  /** What comes back to Romeo: the condition of the error, if there is one. */
  const send = async (attributes: string, content: string) => {
    romeo.send(`<message to='juliet@localhost' ${attributes}>${content}</message>`);
    const answers = await romeo.sync();
    return answers.map((answer) => answer.child('error')?.firstChild?.name).join(' ');
  };
  /** What Juliet finds when she comes, up to something sent to her directly then: it cannot overtake. */
  const find = async (presence = '<presence/>') => {
    const juliet = await server.client('juliet@localhost/balcony');
    juliet.send(presence);
    romeo.send(`<message to='juliet@localhost/balcony'><subject>end</subject></message>`);
    const messages = [];
    for (;;) {
      const message = await juliet.nextMessage();
      if (message.child('subject') !== undefined) return { juliet, messages };
      messages.push(message);
    }
  };
  const found = async () => {
    const { messages } = await find();
    return messages.map((message) => message.childText('body') ?? message.elements[0]?.name);
  };
  return { server, romeo, send, find, found };
}

const body = '<body>hi</body>';
const hint = (name: string) => `<${name} xmlns='${NS.hints}'/>`;
const composing = `<composing xmlns='${NS.chatStates}'/>`;

describe('what is stored', () => {
  // XEP-0160 §3, RFC 6121 §8.5, XEP-0334 §4
  it.each([
    ['a chat', `type='chat'`, body, '', ['hi']],
    ['a normal message', `type='normal'`, body, '', ['hi']],
    ['a message without a type', '', body, '', ['hi']],
    ['a message of an unknown type', `type='unheard-of'`, body, '', ['hi']],
    ['a message without a body', '', `<x xmlns='urn:x'/>`, '', ['x']],
    ['a chat to a resource that is gone', `type='chat' to='juliet@localhost/gone'`, body, '', ['hi']],
    ['not a normal message to a resource that is gone', `to='juliet@localhost/gone'`, body, 'service-unavailable', []],
    ['not a headline', `type='headline'`, body, '', []],
    ['not a message of a room', `type='groupchat'`, body, 'service-unavailable', []],
    ['not an error', `type='error'`, body, '', []],
    ['not a chat state alone', `type='chat'`, composing, '', []],
    ['not a chat state alone, whatever the type', '', composing, '', []],
    ['a chat state with a body', `type='chat'`, composing + body, '', ['hi']],
    ['a chat state that asks for it', `type='chat'`, composing + hint('store'), '', ['composing']],
    ['not what asks not to be stored', `type='chat'`, body + hint('no-store'), 'service-unavailable', []],
    ['not what asks for both', `type='chat'`, body + hint('no-store') + hint('store'), 'service-unavailable', []],
    ['what must not be stored for ever', `type='chat'`, body + hint('no-permanent-store'), '', ['hi']],
    ['not a headline that asks for it', `type='headline'`, body + hint('store'), '', []],
  ])('%s', async (_, attributes, content, answer, found) => {
    const server = await start();
    const to = attributes.includes('to=') ? attributes : `to='juliet@localhost' ${attributes}`;
    server.romeo.send(`<message ${to}>${content}</message>`);
    const answers = await server.romeo.sync();
    expect(answers.map((one) => one.child('error')?.firstChild?.name).join(' ')).toBe(answer);
    expect(await server.found()).toEqual(found);
  });
});

it('stamps what it stores, whatever others have noted in its name', async () => {
  const { send, find } = await start();
  const forged = `<delay xmlns='${NS.delay}' from='localhost' stamp='2002-09-10T23:08:25Z'/>`;
  const room = `<delay xmlns='${NS.delay}' from='room@muc.lit' stamp='2002-09-10T23:05:37Z'/>`;
  const now = Date.now();
  vi.spyOn(Date, 'now').mockReturnValue(now);
  await send(`id='m1' type='chat'`, body + forged + room);
  const message = (await find()).messages[0] as Element;
  expect(message.attr('to')).toBe('juliet@localhost');
  expect(message.attr('id')).toBe('m1');
  const delays = message.elements.filter((child) => child.is('delay', NS.delay));
  expect(delays.map((delay) => delay.attr('from'))).toEqual(['room@muc.lit', 'localhost']);
  expect(Date.parse(delays[1]?.attr('stamp') ?? '')).toBe(now);
  expect(delays[1]?.text).toBe('Offline Storage');
});

it('keeps what prefixes meant where the message came from', async () => {
  const { romeo, find } = await start();
  romeo.send(`<message xmlns:p='urn:p' to='juliet@localhost'><p:x p:a='1'><stream:y/></p:x></message>`);
  await romeo.sync();
  const message = (await find()).messages[0] as Element;
  expect(message.child('x', 'urn:p')?.attr('{urn:p}a')).toBe('1');
  expect(message.child('x', 'urn:p')?.child('y', NS.streams)).toBeDefined();
});

it('waits for a resource that may get messages', async () => {
  const { send, find } = await start();
  await send(`type='chat'`, '<body>1</body>');
  const { juliet, messages } = await find('<presence><priority>-1</priority></presence>');
  expect(messages).toEqual([]);
  await send(`type='chat'`, '<body>2</body>'); // stored too: nobody gets messages to the account
  expect(await juliet.sync()).toEqual([]);
  juliet.send('<presence><priority>0</priority></presence>');
  expect((await juliet.nextMessage()).childText('body')).toBe('1');
  expect((await juliet.nextMessage()).childText('body')).toBe('2');
  await send(`type='chat'`, '<body>3</body>');
  expect((await juliet.nextMessage()).childText('body')).toBe('3');
});

it('refuses what does not fit, and keeps what it has', async () => {
  const { server, send, found } = await start({ maxMessages: 2 });
  expect(await send('', '<body>1</body>')).toBe('');
  expect(await send('', '<body>2</body>')).toBe('');
  expect(await send('', '<body>3</body>')).toBe('service-unavailable');
  const { limitsExceeded } = server.node.registry.metrics;
  expect(limitsExceeded.with({ limit: 'offline-messages' }).value).toBe(1);
  expect(await found()).toEqual(['1', '2']);
});

it('refuses messages that are too large together', async () => {
  const { server, send, found } = await start({ maxBytes: 1000 });
  expect(await send('', `<body>${'1'.repeat(600)}</body>`)).toBe('');
  expect(await send('', `<body>${'2'.repeat(600)}</body>`)).toBe('service-unavailable');
  const { limitsExceeded } = server.node.registry.metrics;
  expect(limitsExceeded.with({ limit: 'offline-bytes' }).value).toBe(1);
  expect(await found()).toEqual(['1'.repeat(600)]);
});

it('stores nothing where it is switched off', async () => {
  const { send, found } = await start({ enabled: false });
  expect(await send('', body)).toBe('service-unavailable');
  expect(await send(`type='chat'`, composing)).toBe('');
  expect(await found()).toEqual([]);
});

it('goes when the account goes', async () => {
  const { server, send, found } = await start();
  await send('', body);
  await server.accounts.remove?.(Jid.parse('juliet@localhost'));
  expect(await found()).toEqual([]);
});
