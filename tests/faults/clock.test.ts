import { expect, it, onTestFinished, vi } from 'vitest';
import { Chat } from '../support/chat.ts';
import { features, scram } from '../support/login.ts';
import { startServer, type TestServer } from '../support/server.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);

/** A server by a clock that is set by hand. Timers go on as they do, as where an operator sets the clock. */
async function startByClock(): Promise<TestServer> {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  onTestFinished(() => void vi.useRealTimers());
  return startServer();
}

const storedStamp = (message: {
  child(name: string, ns: string): { attr(name: string): string | undefined } | undefined;
}) => message.child('delay', 'urn:xmpp:delay')?.attr('stamp');

it('leaves everybody where they are when the clock jumps, and lets others in', async () => {
  const server = await startByClock();
  const chat = new Chat(
    await server.online('romeo@localhost/orchard'),
    await server.online('juliet@localhost/balcony'),
  );
  await chat.goesOn();
  for (const now of [START + HOUR, START, START + 10 * 8766 * HOUR, START - HOUR, START]) {
    vi.setSystemTime(now);
    await chat.goesOn();
    const client = server.connect();
    client.open('localhost');
    await features(client);
    expect((await scram(client, { username: 'juliet', password: 'secret' })).name).toBe('success');
    client.break();
  }
  await chat.end();
  expect(server.node.sessions.size).toBe(2);
  expect(server.log.filter(({ level }) => level !== 'info')).toEqual([]);
});

it('keeps messages in the order in which they came, and says when that was', async () => {
  const server = await startByClock();
  const romeo = await server.online('romeo@localhost/orchard');
  await server.account('juliet@localhost');
  const times = [START, START - HOUR, START + 10 * 8766 * HOUR, START];
  for (const [index, now] of times.entries()) {
    vi.setSystemTime(now);
    romeo.send(`<message type='chat' to='juliet@localhost'><body>${index}</body></message>`);
    await romeo.request('get', `<vCard xmlns='vcard-temp'/>`);
  }
  const juliet = await server.client('juliet@localhost/balcony');
  juliet.send('<presence/>');
  const messages = [];
  for (const _ of times) messages.push(await juliet.nextMessage());
  expect(messages.map((message) => message.childText('body'))).toEqual(['0', '1', '2', '3']);
  expect(messages.map(storedStamp)).toEqual(times.map((time) => new Date(time).toISOString()));
});

it('tells of no time below zero', async () => {
  const server = await startByClock();
  const romeo = await server.online('romeo@localhost/orchard');
  await romeo.close();
  vi.setSystemTime(START - HOUR);
  const again = await server.client('romeo@localhost/garden');
  await again.close();
  expect(server.node.uptimeSeconds).toBeGreaterThan(0);
  const last = await server.client('romeo@localhost/hall');
  vi.setSystemTime(START - 2 * HOUR);
  const answer = await last.request('get', `<query xmlns='jabber:iq:last'/>`, 'romeo@localhost');
  expect(answer.firstChild?.attr('seconds')).toBe('0');
});
