import { NS } from '@parley/xmpp/namespaces';
import { beforeAll, expect, test } from 'vitest';
import { ConnectionFailure } from './connection-failure.ts';
import { ConnectorWorld, LOCAL, REMOTE } from './connector-testing.ts';
import { DIALBACK, EXTERNAL, type FakeConnection, fakePeer, MANAGEMENT, STARTTLS } from './fake-peer.ts';

const HEADER =
  `<?xml version='1.0'?><stream:stream xmlns='${NS.server}' xmlns:stream='${NS.streams}' xmlns:db='${NS.dialback}' ` +
  `id='s' from='${REMOTE}' to='${LOCAL}' version='1.0'>`;
const MESSAGE = `<message from='juliet@${REMOTE}' to='romeo@${LOCAL}'><body>hi</body></message>`;
const header = /<stream:stream [^>]*>/;

let world: ConnectorWorld;
beforeAll(async () => {
  world = await ConnectorWorld.make();
});

/** How another server lets a stream come to be, step by step: before each it may do something else. */
type Step = readonly [name: string, take: (connection: FakeConnection) => unknown];

const say = (text: string) => (connection: FakeConnection) => connection.send(text);
const hear = (pattern: RegExp) => (connection: FakeConnection) => connection.until(pattern);
const features = (text: string) => say(`<stream:features>${text}</stream:features>`);

const BEFORE: readonly Step[] = [
  ['header', hear(header)],
  ['its header', say(HEADER)],
  ['its features', features(STARTTLS)],
  ['our STARTTLS', hear(/<starttls [^>]*\/>/)],
  ['its go-ahead', say(`<proceed xmlns='${NS.tls}'/>`)],
  ['the handshake', (connection) => connection.encrypt(world.theirs)],
  ['our header behind encryption', hear(header)],
  ['its header behind encryption', say(HEADER)],
];
const BY_CERTIFICATE: readonly Step[] = [
  ['its mechanisms', features(EXTERNAL)],
  ['our certificate', hear(/<auth [^>]*>[^<]*<\/auth>/)],
  ['its word', say(`<success xmlns='${NS.sasl}'/>`)],
  ['our header behind that', hear(header)],
  ['its header behind that', say(HEADER)],
  ['its last features', features(MANAGEMENT)],
  ['our request', hear(/<enable [^>]*\/>/)],
  ['what it says to that', say(`<enabled xmlns='${NS.streamManagement}'/>`)],
];
const BY_DIALBACK: readonly Step[] = [
  ['that it takes keys', features(DIALBACK)],
  ['our key', hear(/<db:result[^>]*>[^<]*<\/db:result>/)],
  ['its answer', say(`<db:result from='${REMOTE}' to='${LOCAL}' type='valid'/>`)],
];

/** What it does instead. */
const INSTEAD: Record<string, (connection: FakeConnection) => unknown> = {
  'says nothing': () => {},
  'says nothing, letter by letter': (connection) => {
    const slowly = setInterval(() => connection.send(' '), 20);
    void connection.gone().then(() => clearInterval(slowly));
  },
  'says what is no XML': (connection) => connection.send('\0\x01\xff'.repeat(100)),
  'says what nobody has asked': (connection) => connection.send(`<x xmlns='urn:y'/>`.repeat(500)),
  'says what has no end': (connection) => connection.send(`<x a='${'b'.repeat(30_000)}`),
  'sends stanzas': (connection) => connection.send(MESSAGE.repeat(20)),
  'says who it is': (connection) => connection.send(`<db:result from='${REMOTE}' to='${LOCAL}' type='invalid'/>`),
  'ends the stream': (connection) => connection.send('</stream:stream>'),
  'hangs up': (connection) => connection.destroy(),
};

/** Where it is our turn it may as well do something else. */
const OURS = /^(our|header)/;

test.each([
  ['certificates', [...BEFORE, ...BY_CERTIFICATE], {}],
  ['dialback', [...BEFORE, ...BY_DIALBACK], { authentication: 'certificate-or-dialback' }],
] as const)(
  'whatever another server does in place of any step, nothing of it stays: by %s',
  async (_, steps, policy) => {
    const works = await fakePeer(async (connection) => {
      for (const [, take] of steps) await take(connection);
    });
    const stream = await world.connector(works.port, policy).open(LOCAL, REMOTE);
    expect([stream.over, works.faults]).toEqual([false, []]);

    const attempts = steps.flatMap(([name], index) =>
      Object.entries(INSTEAD).map(async ([how, act]) => {
        const peer = await fakePeer(async (connection) => {
          for (const [, take] of steps.slice(0, index)) await take(connection);
          act(connection);
        });
        const connector = world.connector(peer.port, policy, { negotiationMs: 4000, stepMs: 2000, connectMs: 5000 });
        const failed = await connector.open(LOCAL, REMOTE).then(
          (opened) => opened.close('it was not to be'),
          (error) => error,
        );
        // before it has heard us it may be quicker than what it was to hear
        if (!(OURS.test(name) && failed === undefined)) {
          expect.soft(failed, `${how} in place of ${name}`).toBeInstanceOf(ConnectionFailure);
        }
        expect.soft(connector.settingUp, `${how} in place of ${name}`).toBe(0);
        await Promise.all(peer.connections.map((connection) => connection.gone()));
      }),
    );
    await Promise.all(attempts);
    expect(world.taken).toEqual([]);
    expect(stream.over).toBe(false); // the other one goes on
  },
);
