import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { findProgram } from '../../scripts/test-services.ts';
import { Chat } from '../support/chat.ts';
import type { TestClient } from '../support/client.ts';
import { appearOver } from '../support/network.ts';
import { Installation, type RunningParley } from '../support/process.ts';

const HEADER = `<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;

/** Two friends, and nobody is limited by address. */
async function world(options: Parameters<Installation['start']>[0], config: object = {}) {
  const connections = { perAddress: 0, unauthenticatedPerAddress: 0, newPerAddressPerMinute: 0 };
  const installation = new Installation({
    limits: { connections: { ...connections, unauthenticatedPercent: 100 } },
    ...config,
  });
  await installation.accounts('romeo@localhost', 'juliet@localhost', 'nurse@localhost');
  const node = await installation.start(options);
  const port = node.port('c2s');
  // what it has needed to start may count as in use still, where there is little memory
  const romeo = await comesIn(port, 'romeo@localhost/orchard');
  return { installation, node, port, chat: new Chat(romeo, await comesIn(port, 'juliet@localhost/balcony')) };
}

/** So many connections, of which the server may keep as many as it likes. */
async function crowd(port: number, count: number, text = ''): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connect({ port, host: '127.0.0.1' }));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(
    sockets.map(async (socket) => {
      socket.on('error', () => {}).resume();
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {});
      if (!socket.destroyed) socket.write(HEADER + text);
    }),
  );
  return sockets;
}

/** Somebody new comes as soon as there is room. */
const comesIn = (port: number, jid: string): Promise<TestClient> =>
  vi.waitFor(() => appearOver(port, jid), { interval: 200 });

const left = (sockets: readonly Socket[]): number => sockets.filter((socket) => !socket.destroyed).length;

const exceeded = (node: RunningParley, limit: string) =>
  node.log.filter((line) => line.event === 'limit.exceeded' && line.limit === limit);

it('refuses connections while descriptors run out, serves those that it has, and takes new ones when it can', async () => {
  const prlimit = findProgram('prlimit');
  const under = prlimit === undefined ? ['sh', '-c', 'ulimit -n 96; exec "$@"', 'sh'] : [prlimit, '--nofile=96'];
  const { installation, node, port, chat } = await world({ under });
  const began = performance.now();
  const sockets = await crowd(port, 300);
  await vi.waitFor(() => expect(left(sockets)).toBeLessThan(50));
  await chat.goesOn();
  expect(readdirSync(`/proc/${node.child.pid}/fd`).length).toBeLessThan(96);
  expect(left(sockets)).toBeGreaterThan(20);
  await expect.poll(() => exceeded(node, 'descriptors').length).toBeGreaterThan(0); // logs come a moment later
  expect((await installation.parley(['status'])).code).toBe(0);
  expect((await fetch(`http://127.0.0.1:${node.port('http')}/metrics`)).status).toBe(200);
  await installation.account('mercutio@localhost');

  for (const socket of sockets) socket.destroy();
  const nurse = await comesIn(port, 'nurse@localhost/hall');
  expect(await nurse.sync()).toEqual([]);
  await chat.end();
  // one line a second at most, however many were refused
  const lines = node.log.filter(({ level }) => level !== 'info');
  expect(lines.every(({ event }) => event === 'limit.exceeded')).toBe(true);
  expect(lines.length).toBeLessThan(20 + (performance.now() - began) / 1000);
});

it('sheds strangers while memory runs out, and survives with those that it has', async () => {
  const config = { stream: { authenticateTimeoutSeconds: 300 } };
  const { node, port, chat } = await world({ flags: ['--max-old-space-size=80'] }, config);
  const all: Socket[] = [];
  // what each of them has sent waits for its end
  const text = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${'A'.repeat(9000)}`;
  while (left(all) === all.length && all.length < 20_000) {
    all.push(...(await crowd(port, 200, text)));
    await chat.goesOn();
  }
  expect(left(all)).toBeLessThan(all.length);
  await expect.poll(() => exceeded(node, 'heap').length).toBeGreaterThan(0);
  await chat.goesOn(50);
  for (const socket of all) socket.destroy();
  (await comesIn(port, 'nurse@localhost/hall')).break();
  await chat.goesOn();
  expect(await node.stop()).toBe(0);
});
