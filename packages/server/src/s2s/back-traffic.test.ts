import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { message } from '@parley/xmpp/stanza';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ConnectorWorld, dialbackKey, external, LOCAL, REMOTE } from './connector-testing.ts';
import { DIALBACK, EXTERNAL, type FakeConnection, fakePeer, MANAGEMENT } from './fake-peer.ts';

const REQUEST = `<r xmlns='${NS.streamManagement}'/>`;
const BIDI = `<bidi xmlns='${NS.bidiFeature}'/>`;
const LIMITS = `<limits xmlns='${NS.streamLimits}'><max-bytes>50000</max-bytes></limits>`;
const ASKS = /<bidi xmlns='urn:xmpp:bidi'>.*<\/bidi>/;
const ASK = { bidirectional: true };
const BY_KEY = { ...ASK, authentication: 'certificate-or-dialback' };
const from = (id: string, sender = `juliet@${REMOTE}`, to = `romeo@${LOCAL}`) =>
  `<message id='${id}' from='${sender}' to='${to}'/>`;
const words = message({ from: Jid.parse(`romeo@${LOCAL}/a`), to: Jid.parse(`juliet@${REMOTE}`), id: '1' }).toString();

let world: ConnectorWorld;
beforeEach(async () => {
  world = await ConnectorWorld.make();
});

/** A stream on which both sides send; `then` is what the other one does. */
async function bothWays(then: (connection: FakeConnection) => Promise<void> | void, policy: object = ASK) {
  const peer = await fakePeer(async (connection) => {
    await connection.startTls(world.theirs);
    await external(connection, MANAGEMENT, BIDI);
    expect(connection.log).toContain(`<bidi xmlns='urn:xmpp:bidi'>${LIMITS}</bidi><auth`);
    await connection.until(/<enable [^>]*\/>/);
    connection.send(`<enabled xmlns='${NS.streamManagement}'/>`);
    await then(connection);
  });
  const stream = await world.connector(peer.port, policy).open(LOCAL, REMOTE);
  return { peer, stream };
}

describe('stanzas come back on a stream of ours', () => {
  test('where the policy asks for it: each direction is acknowledged for itself', async () => {
    const { stream, peer } = await bothWays(async (connection) => {
      connection.send(from('a') + from('b') + REQUEST);
      await connection.until(/<a xmlns='urn:xmpp:sm:3' h='2'\/>/);
      await connection.until(/<message [^>]*id='1'\/>/);
      connection.send(`<a xmlns='${NS.streamManagement}' h='1'/>`);
    });
    expect(stream.kind).toBe('ours, both ways');
    await vi.waitFor(() => expect(peer.connections[0]?.log).toContain(` h='2'`));
    stream.send(words);
    expect(stream.unacknowledged).toBe(1);
    await vi.waitFor(() => expect(stream.unacknowledged).toBe(0));
    expect(world.taken).toEqual(
      ['a', 'b'].map((id) => `<message to='romeo@${LOCAL}' from='juliet@${REMOTE}' id='${id}'/>`),
    );
    expect([stream.received, peer.faults]).toEqual([2, []]);
  });

  test('those that came before it was all agreed on, too', async () => {
    const peer = await fakePeer(async (connection) => {
      await connection.startTls(world.theirs);
      await external(connection, MANAGEMENT, BIDI);
      connection.send(Array.from({ length: 50 }, (_, id) => from(`${id}`)).join(''));
      await connection.until(/<enable [^>]*\/>/);
      connection.send(`<enabled xmlns='${NS.streamManagement}'/>${from('last')}<r xmlns='${NS.streamManagement}'/>`);
      await connection.until(/<a xmlns='urn:xmpp:sm:3' h='1'\/>/);
      connection.end();
    });
    const stream = await world.connector(peer.port, ASK).open(LOCAL, REMOTE);
    await stream.closed;
    expect([world.taken.length, peer.faults]).toEqual([51, []]);
  });

  test('and are counted from where the other side says so, however many came before and wait', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.process = () => promise;
    const peer = await fakePeer(async (connection) => {
      await connection.startTls(world.theirs);
      await external(connection, MANAGEMENT, BIDI);
      connection.send(Array.from({ length: 100 }, (_, id) => from(`${id}`, `juliet${id}@${REMOTE}`)).join(''));
      await connection.until(/<enable [^>]*\/>/);
      connection.send(`<enabled xmlns='${NS.streamManagement}'/>${from('last')}`);
      await vi.waitFor(() => expect(world.taken.length).toBe(64));
      resolve();
      await vi.waitFor(() => expect(world.taken.length).toBe(101));
      connection.send(REQUEST);
      await connection.until(/<a xmlns='urn:xmpp:sm:3' h='1'\/>/);
    });
    await world.connector(peer.port, ASK).open(LOCAL, REMOTE);
    await vi.waitFor(() => expect(peer.connections[0]?.log).toContain(` h='`));
    expect([peer.connections[0]?.log.match(/ h='\d+'/)?.[0], peer.faults]).toEqual([` h='1'`, []]);
  });

  test('by dialback', async () => {
    const peer = await fakePeer(async (connection) => {
      await connection.startTls(world.selfSigned);
      await connection.begin(DIALBACK + BIDI);
      await connection.until(ASKS);
      await connection.until(/<db:result [^>]*>/);
      connection.send(`<db:result from='${REMOTE}' to='${LOCAL}' type='valid'/>${from('a')}`);
    });
    await world.connector(peer.port, BY_KEY).open(LOCAL, REMOTE);
    await vi.waitFor(() => expect(world.taken.length).toBe(1));
  });

  test('no faster than they are taken', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    world.process = () => promise;
    await bothWays((connection) => {
      for (let n = 0; n < 500; n++) connection.send(from(`${n}`, `juliet${n}@${REMOTE}`));
    });
    await vi.waitFor(() => expect(world.taken.length).toBe(64));
    resolve();
    await vi.waitFor(() => expect(world.taken.length).toBe(500));
  });

  test('of the kinds that the policy allows', async () => {
    await bothWays((connection) => connection.send(`${from('a')}<presence from='${REMOTE}' to='${LOCAL}'/>`), {
      ...ASK,
      stanzas: ['presence'],
    });
    await vi.waitFor(() => expect(world.taken.length).toBe(2));
    expect(world.taken[0]).toBe('refused a: No message is taken from your server here.');
  });

  test('with questions about keys of ours; whoever wants to speak for more begins a stream for that', async () => {
    const key = dialbackKey(REMOTE, LOCAL, 's1');
    const { peer, stream } = await bothWays(async (connection) => {
      connection.send(`<db:verify from='${REMOTE}' to='${LOCAL}' id='s1'>${key}</db:verify>`);
      await connection.until(/<db:verify from='local.example' to='remote.example' id='s1' type='valid'\/>/);
      connection.send(`<db:verify from='${REMOTE}' to='${LOCAL}' id='s2'>${key}</db:verify>`);
      await connection.until(/id='s2' type='invalid'\/>/);
      connection.send(`<db:result from='rooms.${REMOTE}' to='${LOCAL}'>x</db:result>`);
      await connection.until(/to='rooms.remote.example' type='error'><error [^>]*><resource-constraint/);
      connection.send(`<db:result from='rooms.${REMOTE}' to='${LOCAL}' type='valid'/>`);
      connection.send(from('a', `rooms.${REMOTE}`));
    });
    expect((await stream.closed).reason).toContain('a domain that was not proved');
    expect([world.taken, peer.faults]).toEqual([[], []]);
  });
});

describe('nothing comes back on a stream of ours', () => {
  test.each([
    ['where the policy does not ask for it', {}, BIDI],
    ['where the policy refuses it', { bidirectional: false }, BIDI],
    ['where the other side does not have it', ASK, ''],
  ])('%s', async (_, policy, feature) => {
    const peer = await fakePeer(async (connection) => {
      await connection.startTls(world.theirs);
      await external(connection, MANAGEMENT, feature);
      await connection.until(/<enable [^>]*\/>/);
      connection.send(`<enabled xmlns='${NS.streamManagement}'/>${from('a')}<r xmlns='${NS.streamManagement}'/>`);
      await connection.until(/<a xmlns='urn:xmpp:sm:3' h='0'\/>/);
    });
    const stream = await world.connector(peer.port, policy).open(LOCAL, REMOTE);
    await vi.waitFor(() => expect(peer.connections[0]?.log).toContain(` h='0'`));
    expect(peer.connections[0]?.log).not.toContain(NS.bidi);
    expect([stream.kind, world.taken]).toEqual(['ours', []]);
  });

  test('that is only tried out', async () => {
    const peer = await fakePeer(async (connection) => {
      await connection.startTls(world.theirs);
      await external(connection, '', BIDI);
    });
    const told: string[] = [];
    await world.connector(peer.port, ASK).open(LOCAL, REMOTE, 'trial', (line) => told.push(line));
    expect(peer.connections[0]?.log).not.toContain(NS.bidi);
    expect(told.join()).toContain('both directions on one stream: offered, and asked for by the policy');
  });

  test('before the other side has proved who it is', async () => {
    const peer = await fakePeer(async (connection) => {
      await connection.startTls(world.selfSigned);
      await connection.begin(EXTERNAL + BIDI);
      await connection.gone();
    });
    await expect(world.connector(peer.port, ASK).open(LOCAL, REMOTE)).rejects.toThrow('cannot prove');
    expect(peer.connections[0]?.log).not.toContain(NS.bidi);
  });

  test.each([
    ['by certificate', EXTERNAL, /<auth /, `<success xmlns='${NS.sasl}'/>`],
    ['by dialback', DIALBACK, /<db:result /, `<db:result from='${REMOTE}' to='${LOCAL}' type='valid'/>`],
  ])('before it has taken our word %s', async (_, proof, asked, answer) => {
    const peer = await fakePeer(async (connection) => {
      await connection.startTls(world.theirs);
      await connection.begin(proof + BIDI);
      await connection.until(asked);
      connection.send(from('a') + answer);
      await connection.until(/<not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'\/>/);
    });
    await expect(world.connector(peer.port, BY_KEY).open(LOCAL, REMOTE)).rejects.toThrow('stanzas before');
    expect([world.taken, peer.faults]).toEqual([[], []]);
  });

  test.each([
    ['from another domain', from('a', 'juliet@other.example'), 'invalid-from'],
    ['from a domain below', from('a', `juliet@a.${REMOTE}`), 'invalid-from'],
    ['from our own', from('a', `romeo@${LOCAL}`), 'invalid-from'],
    ['from nobody', `<message to='${LOCAL}'/>`, 'improper-addressing'],
    ['to nobody', `<message from='${REMOTE}'/>`, 'improper-addressing'],
    ['to another domain', from('a', REMOTE, 'romeo@other.example'), 'host-unknown'],
    ['to another one of ours', from('a', REMOTE, `romeo@below.${LOCAL}`), 'host-unknown'],
    ['to itself', from('a', REMOTE, `juliet@${REMOTE}`), 'host-unknown'],
    ['that is too large', `<message from='${REMOTE}' to='${LOCAL}'><body>${'x'.repeat(60_000)}`, 'policy-violation'],
    ['that is no XML', '<message from=', 'not-well-formed'],
  ])('%s', async (_, text, condition) => {
    const { stream, peer } = await bothWays(async (connection) => {
      connection.send(text.endsWith('=') ? `${text}<` : text);
      await connection.until(new RegExp(`<${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>`));
    });
    stream.send(words);
    expect(stream.unacknowledged).toBe(1);
    await stream.closed;
    await vi.waitFor(() => expect(peer.faults).toEqual([]));
    expect(world.taken).toEqual([]);
  });
});
