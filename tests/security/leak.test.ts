import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { NS } from '@parley/xmpp/namespaces';
import { expect, test } from 'vitest';
import { base64, conditionOf, features, plain } from '../support/login.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { BareStream } from './bare-stream.ts';
import { collectGarbage } from './garbage.ts';

const long = process.env.PARLEY_TESTS === 'long';
/** Of each way to come and go. */
const TIMES = long ? 2000 : 30;

const HEADER = `<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`;

/** Ways to come and to go, in memory and over sockets. */
const ways: [string, (server: TestServer) => Promise<unknown>][] = [
  ['says nothing, and goes', async (server) => server.connect().break()],
  [
    'opens a stream and closes it',
    async (server) => {
      const client = server.connect();
      client.open('localhost');
      await client.close();
    },
  ],
  [
    'sends what is wrong',
    async (server) => {
      const client = server.connect();
      client.send('<!-- -->');
      await client.closed;
    },
  ],
  [
    'logs in wrongly, in the middle of which it breaks off',
    async (server) => {
      const client = server.connect();
      client.open('localhost');
      client.send(`<auth xmlns='${NS.sasl}' mechanism='SCRAM-SHA-1'>${base64('n,,n=mercutio,r=x')}</auth>`);
      await client.take(({ name }) => name === 'challenge');
      client.break();
    },
  ],
  [
    'logs in, binds, is there, talks and closes',
    async (server) => {
      const client = server.connect();
      client.open('localhost');
      await features(client);
      expect(conditionOf(await plain(client, 'mercutio', 'secret'))).toBe('success');
      await features(client);
      client.send(
        `<iq type='set' id='1'><bind xmlns='${NS.bind}'/></iq><presence/><message to='mercutio@localhost'><body>x</body></message>`,
      );
      await client.nextMessage();
      await client.close();
    },
  ],
  [
    'is there and breaks off in the middle of a stanza',
    async (server) => {
      const client = await server.online('mercutio@localhost/street');
      client.send('<message><body>');
      client.break();
    },
  ],
  [
    'takes the place of another session',
    async (server) => {
      const first = await server.client('mercutio@localhost/street');
      const second = await server.client('mercutio@localhost/street');
      await first.closed;
      await second.close();
    },
  ],
  [
    'comes over TCP and is reset',
    async (server) => {
      const socket = connectTcp({ port: portOf(server, 'c2s'), host: '127.0.0.1' });
      await once(socket, 'connect');
      socket.write(HEADER);
      await once(socket, 'data');
      socket.resetAndDestroy();
      await once(socket, 'close');
    },
  ],
  [
    'comes over TLS and closes',
    async (server) => {
      const socket = connectTls({ port: portOf(server, 'c2sTls'), host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      socket.end(`${HEADER}</stream:stream>`);
      await once(socket.resume(), 'close');
    },
  ],
  [
    'never comes to shake hands',
    async (server) => {
      const socket = connectTcp({ port: portOf(server, 'c2sTls'), host: '127.0.0.1' });
      await once(socket, 'connect');
      socket.end('GET / HTTP/1.1\r\n\r\n');
      await once(socket.on('error', () => {}).resume(), 'close');
    },
  ],
];

const portOf = (server: TestServer, name: string) => server.node.ports.find((each) => each.name === name)?.port ?? 0;

/** What the process holds open beside timers, by kind. */
const handles = () =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => /Wrap|FS/.test(kind))
    .sort();

/** Of these, those that were not there before: what was closing then may be gone by now. */
const more = (now: readonly string[], before: readonly string[]): string[] => {
  const left = [...before];
  return now.filter((kind) => {
    const place = left.indexOf(kind);
    if (place !== -1) left.splice(place, 1);
    return place === -1;
  });
};

test.each(ways)('of whoever %s nothing is left', async (_, comeAndGo) => {
  const here = [{ host: '127.0.0.1', port: 0 }];
  const off = { perAddress: 0, unauthenticatedPerAddress: 0, newPerAddressPerMinute: 0 };
  const limits = {
    connections: off,
    stanzas: { perSecond: 0 },
    logins: { delaySeconds: 0, failuresPerAddress: 0, failuresPerAccountAndAddress: 0 },
  };
  const server = await startServer({ config: { listen: { c2s: here, c2sTls: here, http: [] }, limits } as never });
  await server.account('mercutio@localhost');
  const { node } = server;
  const streams: WeakRef<object>[] = [];
  const sessions: WeakRef<object>[] = [];
  node.hooks.events.on('session.bound', (session) => void sessions.push(new WeakRef(session)));
  const { add } = node.streams;
  node.streams.add = (stream) => {
    streams.push(new WeakRef(stream));
    add.call(node.streams, stream);
  };

  const run = async (times: number) => {
    for (let time = 0; time < times; time++) await comeAndGo(server);
    await expect.poll(() => node.streams.connected).toBe(0);
    await collectGarbage();
  };
  await run(10);
  server.log.length = 0;
  const before = { handles: handles(), heap: process.memoryUsage().heapUsed };
  await run(TIMES);
  server.log.length = 0;

  expect(streams.length).toBeGreaterThanOrEqual(10 + TIMES);
  expect([node.streams.unauthenticated, node.sessions.size, node.sessions.accounts]).toEqual([0, 0, 0]);
  await expect.poll(() => more(handles(), before.handles)).toEqual([]);
  // The last one may still stand on some stack.
  const alive = (list: readonly WeakRef<object>[]) => list.filter((each) => each.deref() !== undefined).length;
  expect([alive(streams), alive(sessions)].map((count) => Math.max(0, count - 1))).toEqual([0, 0]);
  // A kilobyte for each would be a leak; the noise of the process itself is less than two megabytes.
  await collectGarbage();
  expect(process.memoryUsage().heapUsed - before.heap).toBeLessThan(2_000_000 + TIMES * 1000);
});

const BEFORE = { maxBytes: 10_000, maxElements: 32, maxDepth: 8, maxAttributes: 16, maxNameLength: 1024 };
const AFTER = { maxBytes: 262_144, maxElements: 10_000, maxDepth: 64, maxAttributes: 256, maxNameLength: 1024 };

const attributes = (count: number) => Array.from({ length: count }, (_, i) => ` a${i}=''`).join('');

// What costs most for each byte that may be sent.
test.each([
  ['a stranger', 'text', BEFORE, 'x'.repeat(9000), 60_000],
  ['a stranger', 'letters outside of Latin 1', BEFORE, '€'.repeat(3000), 60_000],
  ['a stranger', 'elements', BEFORE, `<a${attributes(15)}>x</a>`.repeat(30), 60_000],
  ['a client', 'text', AFTER, 'x'.repeat(250_000), 500_000],
  ['a client', 'letters outside of Latin 1', AFTER, '€'.repeat(80_000), 500_000],
  ['a client', 'elements', AFTER, '<a/>x'.repeat(9900), 2_500_000],
  ['a client', 'attributes', AFTER, `<a${attributes(250)}/>`.repeat(120), 2_500_000],
  [
    'a client',
    'prefixes',
    AFTER,
    `<a${attributes(120).replaceAll(' a', ' xmlns:a').replaceAll(`''`, `'b'`)}/>`.repeat(100),
    4_000_000,
  ],
] as const)('%s that never ends an element of %s is kept within its limits', async (_, __, limits, content, most) => {
  const measure = async (count: number) => {
    const streams: BareStream[] = [];
    for (let i = 0; i < count; i++) {
      const bare = new BareStream(limits);
      bare.push(Buffer.from(`${HEADER}<message>`));
      bare.push(Buffer.from(content.slice(0, 40)));
      bare.push(Buffer.from(content.slice(40)));
      expect(bare.stream.closed).toBe(false);
      streams.push(bare);
    }
    await collectGarbage();
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    return { bytes: heapUsed + external + arrayBuffers, streams };
  };
  const few = await measure(2);
  const count = limits === BEFORE ? 100 : 10;
  const many = await measure(count);
  expect((many.bytes - few.bytes) / count).toBeLessThan(most);
  expect(many.streams.length + few.streams.length).toBe(count + 2);
});
