import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { message } from '@parley/xmpp/stanza';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ConnectionFailure } from './connection-failure.ts';
import { ConnectorWorld, dialbackKey, external, holdTime, LOCAL, LONG, REMOTE } from './connector-testing.ts';
import { DIALBACK, EXTERNAL, type FakeConnection, fakePeer, MANAGEMENT, STARTTLS } from './fake-peer.ts';

let world: ConnectorWorld;
let theirs: ConnectorWorld['theirs'];
let selfSigned: ConnectorWorld['selfSigned'];

beforeAll(async () => {
  world = await ConnectorWorld.make();
  ({ theirs, selfSigned } = world);
});

const connector: ConnectorWorld['connector'] = (...about) => world.connector(...about);

const ANY = { authentication: 'certificate-or-dialback' };

async function failure(promise: Promise<unknown>): Promise<ConnectionFailure> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConnectionFailure);
  return error as ConnectionFailure;
}

const words = message({ from: Jid.parse(`romeo@${LOCAL}/a`), to: Jid.parse(`juliet@${REMOTE}`), id: '1' });

describe('a stream comes to be', () => {
  test('by certificates of both sides', async () => {
    const peer = await fakePeer(async (connection) => {
      const tls = await connection.startTls(theirs);
      expect(tls.servername).toBe(REMOTE);
      expect(tls.getPeerX509Certificate()?.subjectAltName).toBe(`DNS:${LOCAL}`);
      await external(connection);
    });
    const told: string[] = [];
    const made = connector(peer.port);
    const stream = await made.open(LOCAL, REMOTE, 'stanzas', (line) => told.push(line));
    expect(stream).toMatchObject({
      proof: 'certificate',
      verdict: 'certificate',
      management: undefined,
      writable: true,
    });
    stream.send(words.toString());
    await peer.connections[0]?.until(/<message to='juliet@remote.example' from='romeo@local.example\/a' id='1'\/>/);
    stream.close('done');
    await peer.connections[0]?.until(/<\/stream:stream>/);
    expect(await stream.closed).toEqual({ reason: 'done' });
    expect(told.join('\n')).toContain(`certificate: its certificate stands for ${REMOTE}`);
    expect(peer.faults).toEqual([]);
  });

  test('with TLS from the first byte', async () => {
    const peer = await fakePeer(async (connection) => {
      await connection.encrypt(theirs);
      await external(connection);
    });
    const made = connector(peer.port, { connectToTls: true });
    expect((await made.open(LOCAL, REMOTE)).proof).toBe('certificate');
  });

  test('by dialback', async () => {
    const peer = await fakePeer(async (connection) => {
      await connection.startTls(selfSigned);
      await connection.begin(DIALBACK, 'stream2');
      const key = dialbackKey(REMOTE, LOCAL, 'stream2');
      await connection.until(new RegExp(`<db:result from='${LOCAL}' to='${REMOTE}'>${key}</db:result>`));
      // what nobody asked for says nothing
      connection.send(`<db:result from='other.example' to='${LOCAL}' type='valid'/>`);
      connection.send(`<db:verify from='${REMOTE}' to='${LOCAL}' id='x' type='valid'/>`);
      connection.send(`<db:result from='${REMOTE}' to='${LOCAL}' type='valid'/>`);
    });
    const made = connector(peer.port, ANY);
    expect(await made.open(LOCAL, REMOTE)).toMatchObject({ proof: 'dialback', verdict: 'dns' });
    expect(peer.faults).toEqual([]);
  });

  test.each(['and goes on', 'and hangs up'])('the other side refuses our certificate %s', async (end) => {
    const peer = await fakePeer(async (connection, number) => {
      await connection.startTls(theirs);
      await connection.begin(EXTERNAL + DIALBACK);
      if (number === 1) {
        await connection.until(/<auth [^>]*>[^<]*<\/auth>/);
        connection.send(`<failure xmlns='${NS.sasl}'><not-authorized/></failure>`);
        if (end === 'and hangs up') {
          connection.send('</stream:stream>');
          connection.end();
          return;
        }
      }
      await connection.until(/<db:result [^>]*>/);
      connection.send(`<db:result from='${REMOTE}' to='${LOCAL}' type='valid'/>`);
    });
    const made = connector(peer.port);
    expect((await made.open(LOCAL, REMOTE)).proof).toBe('dialback');
    expect(peer.connections.length).toBe(end === 'and goes on' ? 1 : 2);
  });

  test('to ask for keys alone', async () => {
    const peer = await fakePeer(async (connection) => {
      await connection.startTls(selfSigned);
      await connection.begin(DIALBACK);
      for (const type of ['valid', 'invalid']) {
        const [, id] = await connection.until(/<db:verify from='local.example' to='remote.example' id='(\w+)'>k&lt;y/);
        connection.send(`<db:verify from='${REMOTE}' to='${LOCAL}' id='other' type='valid'/>`);
        connection.send(`<db:verify from='${REMOTE}' to='${LOCAL}' id='${id}' type='${type}'/>`);
      }
    });
    const made = connector(peer.port, ANY);
    const stream = await made.open(LOCAL, REMOTE, 'keys');
    const key = { receiving: LOCAL, originating: REMOTE, streamId: 's1', key: 'k<y' };
    expect(await stream.verify(key)).toBe(true);
    expect(await stream.verify({ ...key, streamId: 's2' })).toBe(false);
    holdTime();
    const unanswered = failure(stream.verify({ ...key, streamId: 's3' }));
    vi.advanceTimersByTime(LONG);
    expect((await unanswered).condition).toBe('remote-server-timeout');
  });
});

test('whether a stanza is larger than the other side takes is known', async () => {
  const limits = `<limits xmlns='${NS.streamLimits}'><max-bytes>100</max-bytes></limits>`;
  const peer = await fakePeer(async (connection) => {
    await connection.startTls(theirs);
    await external(connection, limits);
  });
  const stream = await connector(peer.port).open(LOCAL, REMOTE);
  expect(stream.takes(words.with({ children: ['ü'.repeat(50)] }).toString())).toBe(false);
  expect(stream.takes(words.toString())).toBe(true);
});

test.each([1, 2])('who takes a stream for dead after %s s is shown that we are there', async (idle) => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const limits = `<limits xmlns='${NS.streamLimits}'><idle-seconds>${idle}</idle-seconds></limits>`;
  const peer = await fakePeer(async (connection) => {
    await connection.startTls(theirs);
    await external(connection, limits);
  });
  const stream = await connector(peer.port).open(LOCAL, REMOTE);
  vi.advanceTimersByTime(idle * 500 - 1);
  stream.keepAlive(); // not yet
  vi.advanceTimersByTime(1);
  stream.keepAlive();
  stream.keepAlive(); // not again at once
  stream.send(words.toString());
  expect((await peer.connections[0]?.until(/.*<message /s))?.[0]).toBe(' <message ');
});

describe('acknowledgements', () => {
  const managed = async (connection: FakeConnection) => {
    await connection.startTls(theirs);
    await external(connection, MANAGEMENT);
    await connection.until(/<enable [^>]*\/>/);
    connection.send(`<enabled xmlns='${NS.streamManagement}'/>`);
  };

  test('what is acknowledged is told', async () => {
    const peer = await fakePeer(async (connection) => {
      await managed(connection);
      await connection.until(/id='1'\/>/);
      await connection.until(/<r [^>]*\/>/);
      connection.send(`<a xmlns='${NS.streamManagement}' h='1'/>`);
      await connection.until(/id='2'\/>/);
      connection.destroy();
    });
    const made = connector(peer.port);
    const stream = await made.open(LOCAL, REMOTE);
    stream.send(words.toString());
    const counts: number[] = [];
    stream.onAcknowledged = (count) => counts.push(count);
    await vi.waitFor(() => expect(stream.unacknowledged).toBe(0));
    stream.send(words.with({ id: '2' }).toString());
    await stream.closed;
    expect(counts).toEqual([1]);
  });

  test.each([
    ['too many', `<a xmlns='${NS.streamManagement}' h='2'/>`, 'it acknowledges more than it was sent', {}],
    ['none', '', 'it did not acknowledge what it was sent', { acknowledgeMs: 100 }],
  ])('%s', async (_, answer, reason, settings) => {
    const peer = await fakePeer(async (connection) => {
      await managed(connection);
      await connection.until(/<r [^>]*\/>/);
      connection.send(answer);
    });
    const made = connector(peer.port, {}, settings);
    const stream = await made.open(LOCAL, REMOTE);
    stream.send(words.toString());
    expect(await stream.closed).toEqual({ reason });
  });
});

describe('resumption', () => {
  const enabled = (attributes: string) => `<enabled xmlns='${NS.streamManagement}' ${attributes}/>`;

  test.each([
    [`resume='true' id='a&amp;b' max='300'`, 'a&b'],
    [`resume='1' id='a'`, 'a'],
    [`resume='false' id='a'`, undefined],
    [`resume='true'`, undefined],
    [`resume='true' id='${'x'.repeat(4001)}'`, undefined],
  ])('is asked for, and possible where the other side says so: %s', async (attributes, id) => {
    const peer = await fakePeer(async (connection) => {
      await connection.startTls(theirs);
      await external(connection, MANAGEMENT);
      await connection.until(/<enable xmlns='urn:xmpp:sm:3' resume='true'\/>/);
      connection.send(enabled(attributes));
    });
    const stream = await connector(peer.port).open(LOCAL, REMOTE);
    expect(stream.management).toEqual({ id, resumedAt: undefined, handledBefore: undefined });
  });

  test('goes on where the other side has kept the stream', async () => {
    const peer = await fakePeer(async (connection) => {
      await connection.startTls(theirs);
      await external(connection, MANAGEMENT);
      await connection.until(/<resume xmlns='urn:xmpp:sm:3' previd='a&amp;b' h='0'\/>/);
      connection.send(`<resumed xmlns='${NS.streamManagement}' previd='a&amp;b' h='4294967295'/>`);
      await connection.until(/<r [^>]*\/>/);
      connection.send(`<a xmlns='${NS.streamManagement}' h='0'/>`);
    });
    const stream = await connector(peer.port).open(LOCAL, REMOTE, 'stanzas', undefined, 'a&b');
    expect(stream.management).toEqual({ id: 'a&b', resumedAt: 2 ** 32 - 1, handledBefore: undefined });
    stream.send(words.toString());
    await vi.waitFor(() => expect(stream.unacknowledged).toBe(0)); // 2^32 - 1 and one more is 0
  });

  test.each([
    ['nothing', `<item-not-found xmlns='${NS.stanzas}'/></failed>`, '', undefined],
    ['how much it had handled', `<item-not-found xmlns='${NS.stanzas}'/></failed>`, ` h='7'`, 7],
    ['nonsense', '</failed>', ` h='-1'`, undefined],
  ])('begins anew where it has not, and says %s', async (_, rest, attribute, handledBefore) => {
    const peer = await fakePeer(async (connection) => {
      await connection.startTls(theirs);
      await external(connection, MANAGEMENT);
      await connection.until(/<resume [^>]*\/>/);
      connection.send(`<failed xmlns='${NS.streamManagement}'${attribute}>${rest}`);
      await connection.until(/<enable [^>]*\/>/);
      connection.send(enabled(`resume='true' id='c'`));
    });
    const stream = await connector(peer.port).open(LOCAL, REMOTE, 'stanzas', undefined, 'a');
    expect(stream.management).toEqual({ id: 'c', resumedAt: undefined, handledBefore });
  });
});

describe('a stream does not come to be', () => {
  test('where the policy closes this server', async () => {
    const told: string[] = [];
    const made = connector(1, { allow: false });
    const opening = made.open(LOCAL, REMOTE, 'stanzas', (line) => told.push(line));
    expect(await failure(opening)).toMatchObject({ step: 'policy', lasting: true });
    expect(told.join('\n')).toContain('policy: closed');
  });

  test('where nobody listens', async () => {
    const made = connector(1);
    const error = await failure(made.open(LOCAL, REMOTE));
    expect(error).toMatchObject({ step: 'connection', condition: 'remote-server-timeout', lasting: false });
    expect(error.message).toBe('Nobody listens at 127.0.0.1 port 1.');
  });

  test.each<[string, () => { cert: string; key: string }, string]>([
    ['signed by itself', () => selfSigned, 'its certificate is signed by itself'],
    ['of another domain', () => world.ours, `its certificate is for ${LOCAL}, not for ${REMOTE}`],
  ])('where the certificate is %s', async (_, certificate, reason) => {
    const peer = await fakePeer(async (connection) => {
      await connection.startTls(certificate());
      await connection.begin(EXTERNAL + DIALBACK);
      await connection.gone();
    });
    const error = await failure(connector(peer.port).open(LOCAL, REMOTE));
    expect(error).toMatchObject({ step: 'certificate', lasting: true, condition: 'remote-server-not-found' });
    expect(error.message).toContain(reason);
    expect(peer.connections[0]?.log).not.toContain('auth');
  });

  test('without encryption', async () => {
    const peer = await fakePeer((connection) => connection.begin(DIALBACK));
    const error = await failure(connector(peer.port, ANY).open(LOCAL, REMOTE));
    expect(error).toMatchObject({ step: 'tls', lasting: true });
  });

  test.each([
    ['invalid', 'internal-server-error'],
    ['error', 'remote-server-timeout'],
  ])('where dialback is %s', async (type, condition) => {
    const peer = await fakePeer(async (connection) => {
      await connection.startTls(theirs);
      await connection.begin(DIALBACK);
      await connection.until(/<db:result [^>]*>/);
      connection.send(`<db:result from='${REMOTE}' to='${LOCAL}' type='${type}'/>`);
    });
    expect(await failure(connector(peer.port).open(LOCAL, REMOTE))).toMatchObject({
      step: 'proof',
      condition,
    });
  });

  const header = `<stream:stream xmlns='${NS.server}' xmlns:stream='${NS.streams}' id='1' version='1.0'>`;
  test.each([
    ['says nothing', '', 'header', 1],
    ['stops after its header', header, 'features', 2],
  ])('where the other side %s', async (_, text, step, waitsFor) => {
    const stepMs = LONG / 2;
    const waits = holdTime();
    const peer = await fakePeer(async (connection) => {
      await connection.until(/<stream:stream [^>]*>/);
      connection.send(text);
      await connection.gone();
    });
    const error = failure(connector(peer.port, ANY, { stepMs }).open(LOCAL, REMOTE));
    await vi.waitFor(() => expect(waits(stepMs)).toBe(waitsFor));
    vi.advanceTimersByTime(stepMs);
    expect(await error).toMatchObject({ step, condition: 'remote-server-timeout' });
    await peer.connections[0]?.gone();
  });

  test.each<[string, string, Partial<ConnectionFailure>]>([
    ['speaks to clients', header.replace(NS.server, NS.client), { step: 'header' }],
    ['speaks no XMPP', 'SSH-2.0-OpenSSH\r\n', { step: 'header' }],
    ['speaks an old version', header.replace(` version='1.0'`, ''), { step: 'header' }],
    ['has huge features', `${header}<stream:features>${'<x/>'.repeat(5000)}`, { step: 'features' }],
    ['has endless features', `${header}<stream:features><a b='${'c'.repeat(20_000)}`, { step: 'features' }],
    ['sends ever more', `${header}${'<a/>'.repeat(50)}`, { step: 'features' }],
    [
      'does not serve the domain',
      `${header}<stream:error><host-unknown xmlns='${NS.streamErrors}'/></stream:error>`,
      { condition: 'remote-server-not-found' },
    ],
    ['hangs up', `${header}</stream:stream>`, { step: 'features', condition: 'remote-server-timeout' }],
  ])('where the other side %s', async (_, text, expected) => {
    const peer = await fakePeer(async (connection) => {
      await connection.until(/<stream:stream [^>]*>/);
      connection.send(text);
      await connection.gone();
    });
    const error = await failure(connector(peer.port, ANY).open(LOCAL, REMOTE));
    expect(error).toMatchObject(expected);
    await peer.connections[0]?.gone();
  });

  test('where somebody on the way speaks before the encryption', async () => {
    const peer = await fakePeer(async (connection) => {
      await connection.begin(STARTTLS);
      await connection.until(/<starttls [^>]*\/>/);
      connection.send(`<proceed xmlns='${NS.tls}'/><stream:features>`);
      await connection.gone();
    });
    expect(await failure(connector(peer.port).open(LOCAL, REMOTE))).toMatchObject({ step: 'tls' });
  });

  test('where each step is slow, and none too slow', async () => {
    const stepMs = 600_000;
    const waits = holdTime();
    const asked = Promise.withResolvers<FakeConnection>();
    const peer = await fakePeer(async (connection) => {
      await connection.startTls(theirs);
      await connection.begin(DIALBACK);
      await connection.until(/<db:result [^>]*>/);
      asked.resolve(connection);
    });
    const made = connector(peer.port, {}, { stepMs, negotiationMs: 2.5 * stepMs });
    const error = failure(made.open(LOCAL, REMOTE));
    const connection = await asked.promise;
    for (let answer = 0; answer < 2; answer++) {
      const before = waits(stepMs);
      vi.advanceTimersByTime(stepMs - 10_000);
      connection.send('<db:verify/>');
      await vi.waitFor(() => expect(waits(stepMs)).toBe(before + 1));
    }
    vi.advanceTimersByTime(stepMs - 10_000);
    expect(await error).toMatchObject({ step: 'proof', condition: 'remote-server-timeout' });
    expect((await error).message).toContain('The negotiation took longer than');
    await connection.gone();
  });

  test('where this server stops', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const peer = await fakePeer(async (connection) => {
      await connection.until(/<stream:stream [^>]*>/);
      resolve();
    });
    const made = connector(peer.port);
    const opening = failure(made.open(LOCAL, REMOTE));
    await promise;
    made.stop();
    expect((await opening).message).toBe('This server stops.');
  });
});
