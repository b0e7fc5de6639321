import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { askDns } from './dns-exchange.ts';

const QUERY = Buffer.concat([
  Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
  Buffer.from('\x01a\x07example\0', 'latin1'),
  Buffer.from([0, 1, 0, 1]),
]);

/** An answer to a query, with other flags, another number or another question where a test says so. */
function answer(query: Buffer, { flags = 0x80, id = 0x1234, name = 'A', tail = '' } = {}): Buffer {
  const made = Buffer.from(query);
  made.writeUInt16BE(id, 0);
  made.writeUInt8(flags, 2);
  made.write(name, 13, 'latin1');
  return Buffer.concat([made, Buffer.from(tail)]);
}

/** A DNS server that answers datagrams and connections as a test says. */
async function serve(
  datagram: (query: Buffer, number: number) => readonly Buffer[],
  connection: (socket: Socket) => void = (socket) => socket.destroy(),
): Promise<{ address: string; queries: () => number }> {
  let queries = 0;
  const open = new Set<Socket>();
  const { udp, tcp } = await onOnePort();
  udp.on('message', (query, { port, address }) => {
    for (const each of datagram(query, ++queries)) udp.send(each, port, address);
  });
  tcp.on('connection', (socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => connection(socket));
  });
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    udp.close();
    tcp.close();
  });
  return { address: `127.0.0.1:${udp.address().port}`, queries: () => queries };
}

/** The system gives a port that is free for one of both protocols; the other one may have it taken. */
async function onOnePort(): Promise<{ udp: UdpSocket; tcp: Server }> {
  const udp = createSocket('udp4').bind(0, '127.0.0.1');
  await once(udp, 'listening');
  const tcp = createServer().listen(udp.address().port, '127.0.0.1');
  try {
    await once(tcp, 'listening');
    return { udp, tcp };
  } catch (error) {
    udp.close();
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return onOnePort();
    throw error;
  }
}

const patience = (ms = 60_000) => AbortSignal.timeout(ms);

test('what answers something else is not heard', async () => {
  const { address } = await serve((query) => [
    Buffer.from('x'),
    answer(query, { id: 0x4321, tail: 'another number' }),
    answer(query, { name: 'b', tail: 'another question' }),
    answer(query, { flags: 1, tail: 'a query' }),
    answer(query, { tail: 'the answer' }),
  ]);
  expect((await askDns(address, QUERY, patience())).toString('latin1')).toContain('the answer');
});

test('a datagram that got lost is sent again', async () => {
  const { address, queries } = await serve((query, number) => (number === 1 ? [] : [answer(query)]));
  await askDns(address, QUERY, patience());
  expect(queries()).toBeGreaterThanOrEqual(2); // more where this process stood still meanwhile
});

test('what does not fit comes by TCP, in pieces', async () => {
  const long = 'x'.repeat(60_000);
  const { address } = await serve(
    (query) => [answer(query, { flags: 0x82 })],
    (socket) => {
      const message = answer(QUERY, { tail: long });
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(length.subarray(0, 1));
      setImmediate(() => socket.write(Buffer.concat([length.subarray(1), message.subarray(0, 1000)])));
      setTimeout(() => socket.write(message.subarray(1000)), 20);
    },
  );
  expect((await askDns(address, QUERY, patience())).toString('latin1').endsWith(long)).toBe(true);
});

test.each<[string, (socket: Socket) => void, RegExp]>([
  ['hangs up', (socket) => void socket.end(Buffer.from([0, 100, 1])), /hung up/],
  ['answers something else', (socket) => void socket.write(Buffer.from([0, 3, 1, 2, 3])), /something else/],
])('a server that %s by TCP has not answered', async (_, connection, message) => {
  const { address } = await serve((query) => [answer(query, { flags: 0x82 })], connection);
  await expect(askDns(address, QUERY, patience())).rejects.toThrow(message);
});

test.each<[string, () => readonly Buffer[]]>([
  ['by UDP', () => []],
  ['by TCP', () => [answer(QUERY, { flags: 0x82 })]],
])('a server that says nothing %s is waited for in vain', async (_, datagram) => {
  const { address } = await serve(datagram, () => {});
  await expect(askDns(address, QUERY, patience(100))).rejects.toMatchObject({ code: 'ETIMEOUT' });
  await expect(askDns(address, QUERY, AbortSignal.abort())).rejects.toMatchObject({ code: 'ETIMEOUT' });
});

test('where nobody listens it is known at once', async () => {
  const udp = createSocket('udp4');
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
  const { port } = udp.address() as AddressInfo;
  udp.close();
  await once(udp, 'close');
  await expect(askDns(`127.0.0.1:${port}`, QUERY, patience())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
