import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test, vi } from 'vitest';
import { readIntoLentMemory } from './lent-memory.ts';
import { selfSigned } from './self-signed.ts';
import { TcpTransport } from './tcp.ts';
import { TlsAcceptor } from './tls.ts';

/** Connections as a listener takes them, and what the far ends say of them. */
async function pairs(count: number) {
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  onTestFinished(() => void listener.close());
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  const made: { client: Socket; accepted: Socket; socket: Socket }[] = [];
  for (let index = 0; index < count; index++) {
    const coming = once(listener, 'connection').then(([accepted]) => {
      const socket = readIntoLentMemory(accepted as Socket);
      onTestFinished(() => void socket.destroy());
      return { accepted: accepted as Socket, socket };
    });
    const client = connect(port, '127.0.0.1').on('error', () => {});
    onTestFinished(() => void client.destroy());
    made.push({ client, ...(await coming) });
  }
  return made;
}

async function pair() {
  const [made] = await pairs(1);
  if (made === undefined) throw new Error('There is no connection.');
  return made;
}

test('what comes to several connections is told of each, and is lent', async () => {
  const made = await pairs(3);
  const memories = new Set<ArrayBufferLike>();
  const heard = made.map(() => '');
  for (const [index, { socket }] of made.entries()) {
    socket.on('data', (bytes: Buffer) => {
      memories.add(bytes.buffer);
      heard[index] += String(bytes);
    });
  }
  for (let round = 0; round < 20; round++) {
    for (const [index, { client }] of made.entries()) client.write(`${index}:${round} `);
    await new Promise(setImmediate);
  }
  const all = (index: number) => Array.from({ length: 20 }, (_, round) => `${index}:${round} `).join('');
  await vi.waitFor(() => expect(heard).toEqual([all(0), all(1), all(2)]), { interval: 2 });
  expect(memories.size).toBe(1);
});

test('more than fits comes in pieces, in order', async () => {
  const { client, socket } = await pair();
  const text = Array.from({ length: 50_000 }, (_, number) => `${number},`).join('');
  let heard = '';
  socket.on('data', (bytes) => {
    heard += bytes;
  });
  client.end(text);
  await once(socket, 'end');
  expect(heard).toBe(text);
});

test('nothing is read while it is paused, and all of it afterwards', async () => {
  const { client, socket } = await pair();
  let heard = '';
  socket.on('data', (bytes) => {
    heard += bytes;
    socket.pause();
  });
  client.write('first');
  await vi.waitFor(() => expect(heard).toBe('first'), { interval: 2 });
  client.write(' second');
  await new Promise<void>((written) => client.write(' third', () => written()));
  expect([heard, socket.readableLength]).toEqual(['first', 0]);
  socket.resume();
  await vi.waitFor(() => expect(heard).toBe('first second third'), { interval: 2 });
});

test('the end of either side is told of', async () => {
  const { client, accepted, socket } = await pair();
  expect([accepted.destroyed, socket.remotePort]).toEqual([true, client.localPort]);
  const ended = once(socket.resume(), 'end');
  const closed = once(socket, 'close');
  client.end('bye');
  await ended;
  socket.end('bye yourself');
  expect(String((await once(client, 'data'))[0])).toBe('bye yourself');
  await closed;
});

test('TLS begins on it', async () => {
  const settings = { minVersion: 'TLSv1.2', ciphers: 'TLS_AES_128_GCM_SHA256', handshakeTimeoutMs: 60_000 } as const;
  const acceptor = new TlsAcceptor(settings, new Map([['', await selfSigned(['capulet.lit'])]]));
  const { client, socket } = await pair();
  const transport = new TcpTransport(socket, acceptor);
  const heard: string[] = [];
  transport.handler = { onData: (bytes) => heard.push(String(bytes)), onClose() {} };
  client.write('starttls');
  await vi.waitFor(() => expect(heard).toEqual(['starttls']), { interval: 2 });
  const upgrade = transport.startTls();
  const tls = connectTls({ socket: client, rejectUnauthorized: false, servername: 'capulet.lit' });
  onTestFinished(() => void tls.destroy());
  await Promise.all([upgrade, once(tls, 'secureConnect')]);
  tls.write('encrypted');
  await vi.waitFor(() => expect(heard).toEqual(['starttls', 'encrypted']), { interval: 2 });
  transport.write('back');
  expect(String((await once(tls, 'data'))[0])).toBe('back');
});

test('where something was read already, the socket stays as it is', async () => {
  const listener = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void listener.close());
  await once(listener, 'listening');
  const coming = once(listener, 'connection');
  const client = connect((listener.address() as { port: number }).port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  const [accepted] = (await coming) as [Socket];
  onTestFinished(() => void accepted.destroy());
  accepted.unshift('early');
  expect(readIntoLentMemory(accepted)).toBe(accepted);
  expect(String((await once(accepted, 'data'))[0])).toBe('early');
});
