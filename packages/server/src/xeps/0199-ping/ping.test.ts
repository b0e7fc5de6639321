import { NS } from '@parley/xmpp/namespaces';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startServer } from '../../../../../tests/support/server.ts';
import module from './ping.ts';

const PING = `<ping xmlns='${NS.ping}'/>`;
const start = () => startServer({ modules: [module] });

describe('a ping of a client', () => {
  it.each([undefined, 'localhost', 'romeo@localhost'])('to %s is answered', async (to) => {
    const romeo = await (await start()).client('romeo@localhost/orchard');
    const answer = await romeo.request('get', PING, to);
    expect(answer.attr('type')).toBe('result');
    expect(answer.elements).toEqual([]);
  });

  it('to another account tells nothing', async () => {
    const server = await start();
    const romeo = await server.client('romeo@localhost/orchard');
    await server.client('juliet@localhost/balcony');
    for (const to of ['juliet@localhost', 'nobody@localhost', 'juliet@localhost/garden']) {
      expect((await romeo.request('get', PING, to)).child('error')?.firstChild?.name).toBe('service-unavailable');
    }
  });
});

describe('a ping of the server', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('goes to an idle client, and any byte of it is an answer', async () => {
    const romeo = await (await start()).client('romeo@localhost/orchard');
    for (const sign of [' ', `<iq type='result' id='ping-2' to='localhost'/>`, '<presence/>']) {
      vi.advanceTimersByTime(180_000);
      const ping = await romeo.next();
      expect(ping.attr('from')).toBe('localhost');
      expect(ping.attr('to')).toBe('romeo@localhost/orchard');
      expect(ping.firstChild?.is('ping', NS.ping)).toBe(true);
      romeo.send(sign);
      vi.advanceTimersByTime(120_000);
      await romeo.sync();
    }
  });

  it('that nothing answers ends the session within five minutes', async () => {
    const server = await start();
    const romeo = await server.client('romeo@localhost/orchard');
    vi.advanceTimersByTime(300_000);
    await romeo.closed;
    expect(server.node.sessions.size).toBe(0);
    expect((await romeo.take(({ name }) => name === 'error')).firstChild?.name).toBe('connection-timeout');
  });
});
