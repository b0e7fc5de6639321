import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { message } from '@parley/xmpp/stanza';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { federation } from '../config/federation.ts';
import { certificateVerdict } from './certificate-verdict.ts';
import { ConnectorWorld, dialbackKey, holdTime, LOCAL, LONG, REMOTE } from './connector-testing.ts';
import { DIALBACK, EXTERNAL, type FakeConnection, fakePeer, MANAGEMENT } from './fake-peer.ts';
import { peerPolicy } from './policy.ts';
import { Resolver } from './resolver.ts';
import { Sharing } from './sharing.ts';

const ROOMS = `rooms.${REMOTE}`;
const words = (id: string, from = LOCAL, to = REMOTE) =>
  message({ from: Jid.parse(`romeo@${from}`), to: Jid.parse(`juliet@${to}`), id }).toString();
const valid = (from: string, to: string) => `<db:result from='${to}' to='${from}' type='valid'/>`;
const asks = (from: string, to: string) => new RegExp(`<db:result from='${from}' to='${to}'>([^<]*)</db:result>`);

let world: ConnectorWorld;
beforeEach(async () => {
  world = await ConnectorWorld.make();
});

interface Made {
  readonly sharing: Sharing;
  /** Pairs that a stream was made for. */
  readonly opened: string[];
}

function sharingTo(
  port: number,
  more: { peer?: object; rooms?: object; most?: number; shown?: () => unknown } = {},
): Made {
  const connectTo = `127.0.0.1:${port}`;
  const peers = [
    { domain: REMOTE, connectTo, shareStreams: true, ...more.peer },
    { domain: `*.${REMOTE}`, connectTo, shareStreams: true, ...more.peer, ...more.rooms },
  ];
  const connector = world.connectorFor(peers);
  const config = federation.parse({ peers });
  const resolver = new Resolver(() => ({ servers: [], timeoutMs: LONG }));
  const opened: string[] = [];
  const sharing = new Sharing({
    policy: (remote) => peerPolicy(config, remote),
    dialbackKey,
    targets: (remote, policy) => resolver.targets(remote, policy),
    judge: (tls, remote) => certificateVerdict(tls?.certificate?.raw, tls?.fault, remote),
    open(local, remote) {
      opened.push(`${local} ${remote}`);
      return connector.open(local, remote);
    },
    shown: more.shown ?? (() => 'one certificate'),
    most: () => more.most ?? 20,
  });
  return { sharing, opened };
}

/** A peer that takes the first pair by certificate, or another way, and then does something. */
const peerThat = (then: (connection: FakeConnection) => Promise<void> | void, features = EXTERNAL + DIALBACK) =>
  fakePeer(async (connection) => {
    await connection.startTls(world.theirs);
    await connection.begin(features);
    await connection.until(/<auth [^>]*>[^<]*<\/auth>/);
    connection.send(`<success xmlns='${NS.sasl}'/>`);
    await connection.begin(MANAGEMENT, 'stream2');
    await connection.until(/<enable [^>]*\/>/);
    connection.send(`<enabled xmlns='${NS.streamManagement}'/>`);
    await then(connection);
  });

/** One that takes all pairs. */
const takesAll = () =>
  peerThat(async (connection) => {
    for (;;) {
      const [, from = '', to = ''] = await connection.until(/<db:result from='([^']*)' to='([^']*)'>/);
      connection.send(valid(from, to));
    }
  });

describe('pairs of domains share a stream', () => {
  test('where the other side takes our word for each', async () => {
    const peer = await peerThat(async (connection) => {
      const [, key] = await connection.until(asks(LOCAL, ROOMS));
      expect(key).toBe(dialbackKey(ROOMS, LOCAL, 'stream2'));
      connection.send(valid(LOCAL, ROOMS));
      await connection.until(asks('other.example', REMOTE));
      connection.send(valid('other.example', REMOTE));
      await connection.until(/id='3'\/>/);
      connection.send(`<a xmlns='${NS.streamManagement}' h='2'/>`);
    });
    const { sharing, opened } = sharingTo(peer.port);
    const one = await sharing.open(LOCAL, REMOTE);
    const two = await sharing.open(LOCAL, ROOMS);
    const three = await sharing.open('other.example', REMOTE);
    expect([opened, peer.connections.length]).toEqual([[`${LOCAL} ${REMOTE}`], 1]);
    expect([two.remote, three.local, two.proof, two.verdict]).toEqual([
      ROOMS,
      'other.example',
      'dialback',
      'certificate',
    ]);
    one.send(words('1'));
    two.send(words('2', LOCAL, ROOMS));
    three.send(words('3', 'other.example'));
    // each knows what became of its own
    await vi.waitFor(() => expect([one, two, three].map((each) => each.unacknowledged)).toEqual([0, 0, 1]));
    peer.connections[0]?.destroy();
    await Promise.all([one.closed, two.closed, three.closed]);
    expect(peer.faults).toEqual([]);
  });

  test('also those that are wanted at the same time', async () => {
    const peer = await takesAll();
    const { sharing, opened } = sharingTo(peer.port);
    const domains = [REMOTE, ROOMS, `a.${REMOTE}`, `b.${REMOTE}`];
    const streams = await Promise.all(domains.map((domain) => sharing.open(LOCAL, domain)));
    expect(streams.map(({ remote }) => remote)).toEqual(domains);
    expect([opened.length, peer.connections.length]).toEqual([1, 1]);
  });

  test('until the last one leaves', async () => {
    const peer = await takesAll();
    const { sharing } = sharingTo(peer.port);
    const one = await sharing.open(LOCAL, REMOTE);
    const two = await sharing.open(LOCAL, ROOMS);
    one.close('idle');
    expect(await one.closed).toEqual({ reason: 'idle' });
    expect([one.over, two.over]).toEqual([true, false]);
    const again = await sharing.open(LOCAL, REMOTE); // it is known there already
    expect([again.over, peer.connections.length]).toEqual([false, 1]);
    again.close('idle');
    two.close('idle');
    await peer.connections[0]?.gone();
    await sharing.open(LOCAL, REMOTE);
    expect(peer.connections.length).toBe(2);
  });
});

describe('a pair of domains has a stream of its own', () => {
  const both = async (port: number, more: Parameters<typeof sharingTo>[1] = {}, local = LOCAL) => {
    const { sharing, opened } = sharingTo(port, more);
    await sharing.open(LOCAL, REMOTE);
    const second = await sharing.open(local, ROOMS);
    expect(second).toMatchObject({ local, remote: ROOMS, over: false });
    return { sharing, opened };
  };

  test.each([
    ['where the policy does not want it shared', { rooms: { shareStreams: false } }],
    ['where other authorities vouch for it', { rooms: { authorities: '/etc/others.pem' } }],
    ['where stanzas may come back on one, and not on the other', { rooms: { bidirectional: true } }],
    ['where there are enough on one stream', { most: 1 }],
  ])('%s', async (_, more) => {
    const peer = await takesAll();
    const { opened } = await both(peer.port, more);
    expect(opened).toEqual([`${LOCAL} ${REMOTE}`, `${LOCAL} ${ROOMS}`]);
    expect(peer.connections[0]?.log).not.toContain('<db:result');
  });

  test('where we show something else of ourselves', async () => {
    const peer = await takesAll();
    const { sharing, opened } = sharingTo(peer.port, { shown: () => ({}) });
    await sharing.open(LOCAL, REMOTE);
    await sharing.open(LOCAL, ROOMS);
    expect(opened.length).toBe(2);
  });

  test('where the other side does not say that it can refuse one without ending the stream', async () => {
    const peer = await peerThat(() => {}, `${EXTERNAL}<dialback xmlns='${NS.dialbackFeature}'/>`);
    const { opened } = await both(peer.port);
    expect(opened.length).toBe(2);
  });

  test('where it is another configuration by now', async () => {
    const peer = await takesAll();
    const { sharing, opened } = sharingTo(peer.port);
    const one = await sharing.open(LOCAL, REMOTE);
    sharing.clear();
    await sharing.open(LOCAL, ROOMS);
    expect([opened.length, peer.connections.length, one.over]).toEqual([2, 2, false]);
  });

  test('where its server is somewhere else', async () => {
    const [peer, other] = [await takesAll(), await takesAll()];
    const { opened } = await both(peer.port, { rooms: { connectTo: `127.0.0.1:${other.port}` } });
    expect([opened.length, other.connections.length]).toEqual([2, 1]);
  });

  test('where the certificate of the stream does not stand for it', async () => {
    const peer = await takesAll();
    const below = `a.${ROOMS}`;
    const { sharing, opened } = sharingTo(peer.port);
    await sharing.open(LOCAL, REMOTE);
    await expect(sharing.open(LOCAL, below)).rejects.toThrow('cannot prove that it is');
    expect(opened).toEqual([`${LOCAL} ${REMOTE}`, `${LOCAL} ${below}`]);
    expect(peer.connections[0]?.log).not.toContain('<db:result');
  });

  test('but where its word is enough', async () => {
    const peer = await takesAll();
    const below = `a.${ROOMS}`;
    const { sharing, opened } = sharingTo(peer.port, { peer: { authentication: 'certificate-or-dialback' } });
    await sharing.open(LOCAL, REMOTE);
    expect((await sharing.open(LOCAL, below)).verdict).toBe('dns');
    expect(opened.length).toBe(1);
  });

  test.each([
    ['refuses it', `type='error'><error type='cancel'><item-not-found xmlns='${NS.stanzas}'/></error></db:result>`],
    ['does not believe it', `type='invalid'/>`],
    ['says nothing about it', undefined],
    ['answers another question', undefined],
  ])('where the other side %s, and the shared one goes on', async (how, answer) => {
    const peer = await peerThat(async (connection) => {
      await connection.until(asks(LOCAL, ROOMS));
      if (answer !== undefined) connection.send(`<db:result from='${ROOMS}' to='${LOCAL}' ${answer}`);
      else if (how.startsWith('answers')) connection.send(valid(LOCAL, REMOTE) + valid('other.example', ROOMS));
      connection.send(`<r xmlns='${NS.streamManagement}'/>`); // whose answer shows that all of that has come
      await connection.until(/id='1'\/>/);
    });
    const { sharing, opened } = await (async () => {
      const made = sharingTo(peer.port);
      const one = await made.sharing.open(LOCAL, REMOTE);
      if (answer === undefined) holdTime();
      const second = made.sharing.open(LOCAL, ROOMS);
      if (answer === undefined) {
        await vi.waitFor(() => expect(peer.connections[0]?.log).toContain(` h='0'`));
        vi.advanceTimersByTime(LONG);
      }
      const two = await second;
      one.send(words('1'));
      two.send(words('2', LOCAL, ROOMS));
      await vi.waitFor(() => expect(peer.connections[1]?.log).toContain(`id='2'`));
      expect([one.over, peer.connections.length]).toEqual([false, 2]);
      two.close('done');
      return made;
    })();
    await sharing.open(LOCAL, ROOMS); // nobody asks twice
    expect(opened).toEqual([`${LOCAL} ${REMOTE}`, `${LOCAL} ${ROOMS}`, `${LOCAL} ${ROOMS}`]);
    expect(peer.faults.filter((each) => !String(each).includes('ended before'))).toEqual([]);
  });

  test('where the other side has refused many: nobody asks there any more', async () => {
    let asked = 0;
    const peer = await peerThat(async (connection) => {
      for (;;) {
        const [, , to = ''] = await connection.until(/<db:result from='([^']*)' to='([^']*)'>/);
        asked++;
        connection.send(`<db:result from='${to}' to='${LOCAL}' type='error'><error type='cancel'/></db:result>`);
      }
    });
    const { sharing } = sharingTo(peer.port, { peer: { authentication: 'certificate-or-dialback' } });
    const first = await sharing.open(LOCAL, REMOTE);
    for (let n = 0; n < 110; n++) {
      const stream = await sharing.open(LOCAL, `n${n}.${REMOTE}`);
      stream.close('it is not needed');
    }
    expect(asked).toBe(101);
    expect(first.over).toBe(false);
  });

  test('where the shared one ends over the question', async () => {
    const peer = await peerThat(async (connection) => {
      await connection.until(asks(LOCAL, ROOMS));
      connection.send(`<stream:error><host-unknown xmlns='${NS.streamErrors}'/></stream:error></stream:stream>`);
      connection.end();
    });
    const { opened } = await both(peer.port);
    expect(opened.length).toBe(2);
  });
});

describe('where stanzas come back on a shared stream', () => {
  test('they are for the pairs that it is for', async () => {
    const from = (id: string, sender: string, to: string) => `<message id='${id}' from='${sender}' to='${to}'/>`;
    const peer = await peerThat(async (connection) => {
      await connection.until(asks(LOCAL, ROOMS));
      connection.send(valid(LOCAL, ROOMS) + from('a', ROOMS, LOCAL) + from('b', REMOTE, LOCAL));
      await connection.until(asks('other.example', ROOMS));
      connection.send(`<db:result from='${ROOMS}' to='other.example' type='invalid'/>`);
      connection.send(from('c', ROOMS, 'other.example'));
      await connection.until(/<host-unknown/);
    }, `${EXTERNAL}${DIALBACK}<bidi xmlns='${NS.bidiFeature}'/>`);
    const { sharing } = sharingTo(peer.port, { peer: { bidirectional: true } });
    const one = await sharing.open(LOCAL, REMOTE);
    await sharing.open(LOCAL, ROOMS);
    await vi.waitFor(() => expect(world.taken.length).toBe(2));
    void sharing.open('other.example', ROOMS).catch(() => {});
    expect((await one.closed).reason).toContain('a domain of somebody else');
    expect(world.taken.length).toBe(2);
    expect(peer.faults).toEqual([]);
  });
});
