import { deflateSync } from 'node:zlib';
import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { beforeEach, describe, expect, test } from 'vitest';
import { TestClient } from '../../../../tests/support/client.ts';
import { CompressedWire } from '../../../../tests/support/compressed-wire.ts';
import { features, plain } from '../../../../tests/support/login.ts';
import { startServer, type TestServer } from '../../../../tests/support/server.ts';
import { socketWire } from '../../../../tests/support/wires.ts';
import compression from './0138-compression.ts';

const NS = 'http://jabber.org/protocol/compress';
const compress = (method: string) => `<compress xmlns='${NS}'><method>${method}</method></compress>`;
const offered = (offer: Element) =>
  offer.child('compression', 'http://jabber.org/features/compress')?.elements.map(({ text }) => text) ?? [];
const bind = `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>balcony</resource></bind>`;

let server: TestServer;
let wire: CompressedWire;
let client: TestClient;

async function connect(): Promise<void> {
  const port = server.node.ports.find(({ name }) => name === 'c2s')?.port ?? 0;
  wire = new CompressedWire(await socketWire(port));
  client = new TestClient(wire);
  client.open('localhost');
}

beforeEach(async () => {
  server = await startServer({
    modules: [compression],
    config: {
      modules: { compression: { enabled: true } },
      listen: { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [], http: [] },
      tls: { required: false },
      authentication: { plainWithoutTls: true },
      stream: { closeTimeoutSeconds: 60 },
    },
  });
  await server.account('juliet@localhost');
  await connect();
});

/** Logs in and takes the features that follow. */
async function logIn(): Promise<Element> {
  await features(client);
  await plain(client, 'juliet', 'secret');
  return features(client);
}

async function startCompression(): Promise<void> {
  client.send(compress('zlib'));
  expect((await client.take(({ ns }) => ns === NS)).name).toBe('compressed');
  wire.start();
  client.open('localhost');
}

const streamError = () => client.take(({ name, ns }) => name === 'error' && ns === 'http://etherx.jabber.org/streams');

test('is offered between authentication and binding alone', async () => {
  expect(offered(await features(client))).toEqual([]);
  await plain(client, 'juliet', 'secret');
  expect(offered(await features(client))).toEqual(['zlib']);
  await startCompression();
  expect(offered(await features(client))).toEqual([]);
});

test('everything goes through it in both directions', async () => {
  await logIn();
  await startCompression();
  await features(client);
  const bound = await client.request('set', bind);
  client.jid = bound.firstChild?.childText('jid') ?? '';
  expect(client.jid).toBe('juliet@localhost/balcony');
  const romeo = await server.client('romeo@localhost/orchard');
  for (let i = 0; i < 20; i++) {
    const body = 'It is the east, and Juliet is the sun. '.repeat(i * 50);
    romeo.send(`<message to='juliet@localhost/balcony' id='r${i}'><body>${body}</body></message>`);
    expect((await client.nextMessage()).childText('body')).toBe(body);
    client.send(`<message to='romeo@localhost/orchard' id='j${i}'><body>${body}</body></message>`);
    expect((await romeo.nextMessage()).childText('body')).toBe(body);
  }
  await client.close();
  expect(server.node.sessions.of(Jid.parse('juliet@localhost'))).toEqual([]);
});

test.each([
  ['a method that nobody knows', compress('lzw'), 'unsupported-method'],
  ['no method', `<compress xmlns='${NS}'/>`, 'setup-failed'],
])('%s fails, and the stream goes on', async (_, request, condition) => {
  await logIn();
  client.send(request);
  const failure = await client.take(({ ns }) => ns === NS);
  expect(failure.name).toBe('failure');
  expect(failure.firstChild?.name).toBe(condition);
  expect((await client.request('set', bind)).attr('type')).toBe('result');
});

test('before authentication and after binding it fails', async () => {
  await features(client);
  client.send(compress('zlib'));
  expect((await client.take(({ ns }) => ns === NS)).firstChild?.name).toBe('setup-failed');
  await plain(client, 'juliet', 'secret');
  await client.request('set', bind);
  client.send(compress('zlib'));
  expect((await client.take(({ ns }) => ns === NS)).firstChild?.name).toBe('setup-failed');
});

test('twice it fails', async () => {
  await logIn();
  await startCompression();
  client.send(compress('zlib'));
  expect((await client.take(({ ns }) => ns === NS)).firstChild?.name).toBe('setup-failed');
});

describe('what breaks it', () => {
  beforeEach(async () => {
    await logIn();
    await startCompression();
    await features(client);
  });

  test('bytes that are not compressed end the stream', async () => {
    wire.sendRaw(Buffer.from('<presence/>'));
    const error = await streamError();
    expect(error.firstChild?.name).toBe('undefined-condition');
    expect(error.child('failure', NS)?.firstChild?.name).toBe('processing-failed');
    await client.closed;
  });

  test('a little that inflates to very much ends at the limit of bytes', async () => {
    const inflated = 64 * 1024 * 1024;
    const before = server.node.registry.metrics.io.with({ direction: 'in' }).value;
    const bomb = deflateSync(Buffer.concat([Buffer.from('<message><body>'), Buffer.alloc(inflated, 'a')]));
    // all that the compressor gives but its header of two bytes: this stream has begun already
    wire.sendRaw(bomb.subarray(2));
    expect((await streamError()).firstChild?.name).toBe('policy-violation');
    const read = server.node.registry.metrics.io.with({ direction: 'in' }).value - before;
    expect(read).toBeLessThan(1024 * 1024);
    await client.closed;
  });

  test('a connection that breaks leaves nothing behind', async () => {
    await client.request('set', bind);
    const ended = new Promise<void>((resolve) => {
      server.node.hooks.events.on('session.unbound', () => resolve());
    });
    client.break();
    await ended;
    expect(server.node.sessions.size).toBe(0);
  });
});
