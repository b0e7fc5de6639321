import { expect, it } from 'vitest';
import { partHost } from '../../../../../tests/support/part-host.ts';
import { offlinePart } from './offline-part.ts';

const all = (...messages: string[]) =>
  `<offline-messages xmlns='urn:xmpp:pie:0'>${messages.join('')}</offline-messages>`;
const message = (to: string, words: string) =>
  `<message xmlns='jabber:client' to='${to}' from='romeo@x/y' type='chat'><body>${words}</body></message>`;

it('writes what it reads, once, in its order', async () => {
  const host = await partHost(offlinePart);
  expect([host.reads(all()), host.reads("<offline-messages xmlns='urn:x'/>")]).toEqual([true, false]);
  expect(await host.written()).toBe('');
  const texts = Array.from({ length: 120 }, (_, n) => message('juliet@capulet.com/balcony', `m${n}`));
  expect(await host.read(all(...texts))).toEqual([]);
  expect(await host.read(all(...texts))).toEqual([]);
  expect(await host.written()).toBe(all(...texts));
  await host.clear();
  expect(await host.written()).toBe('');
});

it('takes messages for the account alone, whatever namespace they are written in', async () => {
  const host = await partHost(offlinePart);
  const odd = "<message from='romeo@x/y' type='chat'><body>odd</body></message>";
  expect(await host.read(all(message('other@x', 'a'), odd))).toEqual([]);
  const expected = [message('juliet@capulet.com', 'a'), message('juliet@capulet.com', 'odd')];
  expect(await host.written()).toBe(all(...expected));
});

it('tells of what cannot wait, and of what has no room', async () => {
  const host = await partHost(offlinePart, { offline: { maxMessages: 1 } });
  const bad = [
    "<message xmlns='jabber:client' type='error' from='a@b'/>",
    "<message xmlns='jabber:client'/>",
    "<iq xmlns='jabber:client'/>",
  ];
  expect(await host.read(all(...bad))).toEqual(['Something among the messages that wait is no message that can wait.']);
  expect(await host.read(all(message('juliet@capulet.com', 'a'), message('juliet@capulet.com', 'b')))).toEqual([
    expect.stringMatching(/^1 messages are left out/),
  ]);
});
