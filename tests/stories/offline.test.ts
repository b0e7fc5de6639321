import type { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import type { TestClient } from '../support/client.ts';
import type { MemoryTransport } from '../support/memory-transport.ts';
import { startServer } from '../support/server.ts';

const chat = (text: string | number, to = 'juliet@localhost') =>
  `<message to='${to}' type='chat'><body>${text}</body></message>`;

const bodyOf = (message: Element) => message.childText('body');

/** The bodies of the next messages. */
async function bodies(client: TestClient, count: number): Promise<(string | undefined)[]> {
  const list: (string | undefined)[] = [];
  for (let i = 0; i < count; i++) list.push(bodyOf(await client.nextMessage()));
  return list;
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));

it('tells that it stores messages', async () => {
  const server = await startServer();
  const romeo = await server.client('romeo@localhost/orchard');
  const info = await romeo.request('get', `<query xmlns='${NS.discoInfo}'/>`, 'localhost');
  const features = info.firstChild?.elements.map((element) => element.attr('var'));
  expect(features).toContain('msgoffline');
});

it('delivers what was sent to somebody who was not there, once and in order', async () => {
  const server = await startServer();
  await server.account('juliet@localhost');
  const romeo = await server.client('romeo@localhost/orchard');
  romeo.send(
    numbers(0, 120)
      .map((n) => chat(n))
      .join(''),
  );
  await romeo.sync();

  const balcony = await server.client('juliet@localhost/balcony');
  const chamber = await server.client('juliet@localhost/chamber');
  expect(await balcony.sync()).toEqual([]); // she is connected, but has not said that she is there
  balcony.send('<presence/>');
  chamber.send('<presence/>');
  expect(await bodies(balcony, 120)).toEqual(numbers(0, 120));

  romeo.send(chat('now'));
  for (const client of [balcony, chamber]) expect(bodyOf(await client.nextMessage())).toBe('now');
  await balcony.close();
  await chamber.close();
  const again = await server.client('juliet@localhost/balcony');
  again.send('<presence/>');
  romeo.send(chat('later', again.jid));
  expect(bodyOf(await again.nextMessage())).toBe('later');
});

it('lets nothing overtake what was stored', async () => {
  const server = await startServer();
  await server.account('juliet@localhost');
  const romeo = await server.client('romeo@localhost/orchard');
  romeo.send(
    numbers(0, 60)
      .map((n) => chat(n))
      .join(''),
  );
  await romeo.sync();
  const juliet = await server.client('juliet@localhost/balcony');
  juliet.send('<presence/>');
  romeo.impatient = true;
  for (const n of numbers(60, 160)) {
    romeo.send(chat(n, Number(n) % 2 === 0 ? 'juliet@localhost' : juliet.jid));
    await romeo.request('get', `<ping xmlns='${NS.ping}'/>`, 'localhost');
  }
  expect(await bodies(juliet, 160)).toEqual(numbers(0, 160));
});

it('keeps what a connection has not taken for the next one', async () => {
  const server = await startServer();
  await server.account('juliet@localhost');
  const romeo = await server.client('romeo@localhost/orchard');
  romeo.send(
    numbers(0, 3)
      .map((n) => chat(n))
      .join(''),
  );
  await romeo.sync();

  let transport: MemoryTransport | undefined;
  const lost = await server.client('juliet@localhost/balcony', (made) => {
    transport = made;
  });
  (transport as MemoryTransport).blocked = true; // what is written now goes nowhere
  lost.send('<presence/>');
  await bodies(lost, 3);
  for (const client of [romeo, lost]) client.impatient = true; // the delivery has no end
  romeo.send(chat('meanwhile', lost.jid));
  expect((await romeo.request('get', `<ping xmlns='${NS.ping}'/>`, 'localhost')).attr('type')).toBe('result');
  lost.break();

  const juliet = await server.client('juliet@localhost/chamber');
  juliet.send('<presence/>');
  expect(await bodies(juliet, 3)).toEqual(numbers(0, 3));
});

it('does not store for accounts that are not there', async () => {
  const server = await startServer();
  const romeo = await server.client('romeo@localhost/orchard');
  romeo.send(chat('hello?', 'nobody@localhost'));
  const answer = await romeo.nextMessage('nobody@localhost');
  expect(answer.child('error')?.child('service-unavailable', NS.stanzas)).toBeDefined();
  const nobody = await server.client('nobody@localhost/new');
  nobody.send('<presence/>');
  romeo.send(chat('you are here', nobody.jid));
  expect(bodyOf(await nobody.nextMessage())).toBe('you are here');
});
