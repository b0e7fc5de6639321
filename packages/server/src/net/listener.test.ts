import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { binaryHeader, extension, textHeader } from '../../../../tests/support/proxy-header.ts';
import { Listener } from './listener.ts';
import type { ProxyAdmission } from './proxy-admission.ts';
import { selfSigned } from './self-signed.ts';
import type { TcpTransport } from './tcp.ts';
import { TlsAcceptor } from './tls.ts';

let acceptor: TlsAcceptor;
beforeAll(async () => {
  const settings = { minVersion: 'TLSv1.2', ciphers: 'TLS_AES_128_GCM_SHA256', handshakeTimeoutMs: 60_000 } as const;
  acceptor = new TlsAcceptor(settings, new Map([['', await selfSigned(['localhost'])]]));
});

/** A port behind a load balancer, and what it saw. */
class Behind implements ProxyAdmission {
  headerTimeoutMs = 60_000;
  trusted = true;
  readonly admitted: string[] = [];
  readonly settled: string[] = [];
  readonly transports: TcpTransport[] = [];
  readonly heard: string[] = [];
  readonly listener = new Listener({
    host: '127.0.0.1',
    port: 0,
    acceptor,
    proxy: this,
    admit: (address) => this.admitted.push(address) > 0,
    onTransport: (transport) => this.#take(transport),
    onError: () => {},
  });
  readonly #direct: boolean;

  private constructor(direct: boolean) {
    this.#direct = direct;
  }

  static async start(direct = false): Promise<Behind> {
    const behind = new Behind(direct);
    await behind.listener.listen();
    onTestFinished(() => {
      behind.listener.close();
      for (const transport of behind.transports) transport.destroy();
    });
    return behind;
  }

  #take(transport: TcpTransport): void {
    const index = this.transports.push(transport) - 1;
    this.heard.push('');
    transport.handler = {
      onData: (bytes) => {
        this.heard[index] += bytes.toString('latin1');
      },
      onClose() {},
    };
    if (this.#direct) void transport.startTls();
  }

  expect(): boolean {
    return this.trusted;
  }

  settle(_address: string, failure?: Error): void {
    this.settled.push(failure?.message ?? '');
  }

  async connect(): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port: this.listener.port, noDelay: true });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  get peers(): string[] {
    return this.transports.map(({ remoteAddress, remotePort }) => `${remoteAddress} ${remotePort}`);
  }
}

/** So many texts are there. */
const come = (texts: readonly string[], until: number) =>
  vi.waitFor(() => expect(texts.length).toBeGreaterThanOrEqual(until), { interval: 2 });

const gone = (socket: Socket) => {
  socket.resume();
  return new Promise<void>((resolve) => socket.once('close', () => resolve()));
};

it('waits for the header, and admits the address that it names', async () => {
  const behind = await Behind.start();
  const socket = await behind.connect();
  const header = textHeader('198.51.100.9', 1234);
  socket.write(header.subarray(0, 10));
  const other = await behind.connect();
  other.write(Buffer.concat([binaryHeader(), Buffer.from('at once')]));
  await vi.waitFor(() => expect(behind.heard).toEqual(['at once']), { interval: 2 });
  expect(behind.admitted).toEqual(['192.0.2.7']);
  socket.write(header.subarray(10));
  await vi.waitFor(() => expect(behind.peers).toEqual(['192.0.2.7 40000', '198.51.100.9 1234']), { interval: 2 });
  socket.write('later');
  await vi.waitFor(() => expect(behind.heard[1]).toBe('later'), { interval: 2 });
});

it('keeps the real address where the load balancer speaks for itself', async () => {
  const behind = await Behind.start();
  const sockets = [await behind.connect(), await behind.connect()];
  sockets[0]?.write(binaryHeader({ command: 0x20, kind: 0, addresses: Buffer.alloc(0) }));
  await vi.waitFor(() => expect(behind.peers).toHaveLength(1), { interval: 2 });
  sockets[1]?.write('PROXY UNKNOWN\r\n');
  await vi.waitFor(() => expect(behind.peers).toHaveLength(2), { interval: 2 });
  expect(behind.peers).toEqual(sockets.map((socket) => `127.0.0.1 ${socket.localPort}`));
});

it('cuts whom it does not trust, before anything is read', async () => {
  const behind = await Behind.start();
  behind.trusted = false;
  const socket = await behind.connect();
  socket.write(textHeader('198.51.100.9'));
  await gone(socket);
  expect([behind.settled, behind.admitted]).toEqual([[], []]);
});

it('cuts what begins without a header, ends within it or takes too long', async () => {
  const behind = await Behind.start();
  const stream = await behind.connect();
  stream.write(`<stream:stream to='localhost'>`);
  await gone(stream);
  const half = await behind.connect();
  half.end('PROXY TCP4 ');
  await gone(half);
  behind.headerTimeoutMs = 20;
  const silent = await behind.connect();
  await gone(silent);
  expect(behind.settled).toEqual([
    'no header came before the stream',
    'the connection ended within its header',
    'the header did not come in time',
  ]);
  expect(behind.admitted).toEqual([]);
});

it('takes no offence at a connection that ends without a byte', async () => {
  const behind = await Behind.start();
  const socket = await behind.connect();
  socket.end();
  await gone(socket);
  expect(behind.settled).toEqual(['']);
});

it('lets go of those that have said nothing yet when it closes', async () => {
  const behind = await Behind.start();
  const socket = await behind.connect();
  socket.write('PROXY');
  const other = await behind.connect(); // accepted after the first one
  other.write('x');
  await gone(other);
  behind.listener.close();
  await gone(socket);
  await come(behind.settled, 2);
});

describe.each([
  ['in a segment of its own', false],
  ['in one piece with the handshake', true],
])('TLS behind a header %s', (_, joined) => {
  it('is the client’s', async () => {
    const behind = await Behind.start(true);
    const socket = await behind.connect();
    const header = binaryHeader({ extensions: [extension(1, Buffer.from('xmpp-client'))] });
    let first = joined ? header : Buffer.alloc(0);
    if (!joined) {
      socket.write(header);
      await come(behind.heard, 1);
    }
    const between = new Duplex({
      read() {},
      write(chunk, _encoding, done) {
        socket.write(Buffer.concat([first, chunk]), done);
        first = Buffer.alloc(0);
      },
    });
    socket.on('data', (bytes) => between.push(bytes));
    const tls = connectTls({ socket: between, rejectUnauthorized: false, servername: 'localhost' });
    onTestFinished(() => void tls.destroy());
    await once(tls, 'secureConnect');
    tls.write('encrypted');
    await vi.waitFor(() => expect(behind.heard).toEqual(['encrypted']), { interval: 2 });
    expect(behind.peers).toEqual(['192.0.2.7 40000']);
  });
});

it('reads the same however the bytes are split', async () => {
  const behind = await Behind.start();
  const headers = [textHeader('198.51.100.9', 1234), binaryHeader({ extensions: [extension(4, Buffer.alloc(9))] })];
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...headers), fc.array(fc.nat(), { maxLength: 8 }), async (header, cuts) => {
      const bytes = Buffer.concat([header, Buffer.from('<stream:stream>')]);
      const socket = await behind.connect();
      const places = [...new Set([0, ...cuts.map((cut) => cut % bytes.length)]), bytes.length].sort((a, b) => a - b);
      for (const [index, place] of places.slice(0, -1).entries()) {
        await new Promise((resolve) => socket.write(bytes.subarray(place, places[index + 1]), resolve));
      }
      const which = count++;
      await vi.waitFor(() => expect(behind.heard[which]).toBe('<stream:stream>'), { interval: 1 });
      expect(behind.peers[which]).toBe(header === headers[0] ? '198.51.100.9 1234' : '192.0.2.7 40000');
      socket.destroy();
    }),
    { numRuns: 60 },
  );
});

it('has done with any bytes in time', async () => {
  const behind = await Behind.start();
  behind.headerTimeoutMs = 10;
  const start = fc.constantFrom(
    '',
    'PROXY ',
    'PROXY TCP4 1.2.3.4 ',
    '\r\n\r\n\0\r\nQUIT\n',
    '\r\n\r\n\0\r\nQUIT\n\x21\x11\0',
  );
  let count = 0;
  await fc.assert(
    fc.asyncProperty(start, fc.uint8Array({ minLength: 1, maxLength: 200 }), async (head, tail) => {
      const socket = await behind.connect();
      socket.write(Buffer.concat([Buffer.from(head, 'latin1'), tail]));
      count++;
      await come(behind.settled, count);
      socket.destroy();
    }),
    { numRuns: 100 },
  );
  expect(behind.settled).toHaveLength(count);
});
