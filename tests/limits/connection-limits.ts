import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Configuration } from '@parley/server/config/schema';
import { onTestFinished } from 'vitest';
import type { Partly } from '../support/server.ts';
import type { Limit, LimitTable, Scene } from './limit.ts';

export const LOOPBACK = '127.0.0.1';
const nowhere = { host: LOOPBACK, port: 0 };
const HEADER = `<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;

/** A connection over TCP of which nothing is read until it is asked for. */
export async function tcp({ server }: Scene, name: 'c2s' | 'c2sTls' = 'c2s'): Promise<Socket> {
  const port = server.node.ports.find((each) => each.name === name)?.port ?? 0;
  const socket = connect({ host: LOOPBACK, port, allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {}); // an abrupt end is an end
  await once(socket, 'connect');
  return socket;
}

/** Resolves when the server has ended the connection, with what it had sent. */
export async function ended(socket: Socket): Promise<string> {
  if (socket.closed) return '';
  let text = '';
  socket.on('data', (bytes) => {
    text += bytes;
  });
  await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  return text;
}

/** Opens a stream and waits for its features. */
export async function openStream(socket: Socket): Promise<void> {
  socket.write(HEADER);
  let text = '';
  while (!text.includes('</stream:features>')) text += (await once(socket, 'data'))[0];
}

const bySocket = (config: Partly<Configuration>, limit: Omit<Limit, 'config'>): Limit => ({
  address: LOOPBACK,
  ...limit,
  config: { listen: { c2s: [nowhere], c2sTls: [nowhere], http: [] }, ...config },
});

/** So many connections are taken, and the next one is closed without a word while the others stay. */
const oneTooMany = (connections: Partly<Configuration['limits']['connections']>, most: number): Limit =>
  bySocket(
    { limits: { connections } },
    {
      async exceed(scene) {
        const all: Socket[] = [];
        for (let count = 0; count < most; count++) all.push(await tcp(scene));
        for (const socket of all) await openStream(socket);
        const text = await ended(await tcp(scene));
        return { text, left: all.filter((socket) => socket.readable).length };
      },
      sees: { text: '', left: most },
    },
  );

export const connectionLimits: LimitTable = {
  'connections-per-address': oneTooMany({ perAddress: 3 }, 3),
  'unauthenticated-per-address': oneTooMany({ unauthenticatedPerAddress: 2 }, 2),

  'new-connections-per-address': bySocket(
    { limits: { connections: { newPerAddressPerMinute: 5 } } },
    {
      async exceed(scene) {
        for (let count = 0; count < 5; count++) {
          const socket = await tcp(scene);
          await openStream(socket);
          socket.end('</stream:stream>');
          await ended(socket);
        }
        return ended(await tcp(scene));
      },
      sees: '',
    },
  ),

  // the first stranger goes: handshakes count as well
  'unauthenticated-total': bySocket(
    { limits: { connections: { unauthenticatedPercent: 10 } } },
    {
      descriptorLimit: 30,
      async exceed(scene) {
        const first = await tcp(scene, 'c2sTls');
        const others = [await tcp(scene), await tcp(scene, 'c2sTls')];
        await scene.chat.goesOn();
        const last = await tcp(scene);
        const text = await ended(first);
        await openStream(last);
        return { text, left: others.filter((socket) => socket.readable).length };
      },
      sees: { text: '', left: 2 },
    },
  ),

  descriptors: bySocket(
    {},
    {
      descriptorLimit: 8, // four are for connections, and two of them the friends'
      async exceed(scene) {
        const all = [await tcp(scene), await tcp(scene, 'c2sTls')];
        await scene.chat.goesOn();
        const text = await ended(await tcp(scene));
        all[0]?.destroy();
        await scene.chat.goesOn();
        await openStream(await tcp(scene)); // and there is room again
        return text;
      },
      sees: '',
    },
  ),

  'proxy-header-time': bySocket(
    {
      listen: { c2s: [{ ...nowhere, proxyProtocol: true }], c2sTls: [nowhere], http: [] },
      proxyProtocol: { trustedNetworks: [LOOPBACK], headerTimeoutSeconds: 1 },
    },
    {
      async exceed(scene) {
        const silent = await tcp(scene);
        const slow = await tcp(scene);
        const busy = setInterval(() => slow.write('PROXY UNKNOWN'.charAt(slow.bytesWritten)), 50);
        const texts = await Promise.all([silent, slow].map(ended));
        clearInterval(busy);
        return texts;
      },
      sees: ['', ''],
    },
  ),

  'handshake-time': bySocket(
    { stream: { handshakeTimeoutSeconds: 1 } },
    {
      async exceed(scene) {
        const direct = await tcp(scene, 'c2sTls');
        const upgraded = await tcp(scene);
        await openStream(upgraded);
        upgraded.write(`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`);
        await once(upgraded, 'data');
        await Promise.all([direct, upgraded].map(ended));
        const { handshakes } = scene.server.node.registry.metrics;
        return handshakes.with({ outcome: 'timeout' }).value;
      },
      sees: 2,
    },
  ),

  'close-time': bySocket(
    { stream: { closeTimeoutSeconds: 1 } },
    {
      async exceed(scene) {
        const socket = await tcp(scene);
        await openStream(socket);
        socket.write('</stream:stream>');
        const text = await ended(socket); // the server's half of the connection, and ours stays open
        const busy = setInterval(() => socket.write(' '), 50);
        await new Promise((resolve) => socket.once('close', resolve));
        clearInterval(busy);
        return text;
      },
      sees: '</stream:stream>',
    },
  ),
};
