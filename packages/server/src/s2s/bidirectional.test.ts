import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { message } from '@parley/xmpp/stanza';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConnectionFailure } from './connection-failure.ts';
import { type IncomingWorld, incomingWorld, type Peer, settled, showing } from './incoming-testing.ts';
import type { EstablishedStream } from './outgoing-stream.ts';

const BIDI = `<bidi xmlns='${NS.bidi}'/>`;
const AUTH = `<auth xmlns='${NS.sasl}' mechanism='EXTERNAL'>=</auth>`;
const ENABLE = `<enable xmlns='${NS.streamManagement}'/>`;
const ASK = `<r xmlns='${NS.streamManagement}'/>`;
const OURS = 'montague.example';
const THEIRS = 'capulet.example';
const BY_KEY = { default: 'certificate-or-dialback' };

const words = (id: string, from = OURS, to = THEIRS) =>
  message({ from: Jid.parse(`romeo@${from}`), to: Jid.parse(`juliet@${to}`), id }).toString();
const text = (from: string, to: string) => `<message from='${from}' to='${to}'/>`;
const result = (from: string, to = OURS) => `<db:result from='${from}' to='${to}'>key</db:result>`;

// what comes by itself after a moment, an offer for one, comes when a test says so, however slow the machine is
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** What goes out for a pair of domains, where it may go out on a stream that another server has begun. */
async function way(world: IncomingWorld, local = OURS, remote = THEIRS): Promise<EstablishedStream | undefined> {
  const none = {} as EstablishedStream;
  const stream = await world.returnWays.first(local, remote, () => Promise.resolve(none));
  return stream === none ? undefined : stream;
}

/** A stream that has asked for both directions, and has authenticated by certificate. */
async function authenticated(
  world = incomingWorld(),
  asks: string | false = BIDI,
): Promise<{ world: IncomingWorld; peer: Peer }> {
  const peer = world.connect(await showing([THEIRS]));
  peer.open(THEIRS);
  await settled();
  if (asks) peer.send(asks);
  peer.send(AUTH);
  peer.open(THEIRS);
  await settled();
  peer.taken();
  return { world, peer };
}

describe('what we have for another server goes out on its stream', () => {
  test('where it has asked for that, and says that it acknowledges', async () => {
    const { world, peer } = await authenticated();
    expect(world.offered).toEqual([]);
    peer.send(ENABLE);
    expect(world.offered).toEqual([`${OURS} ${THEIRS}`]);
    const stream = (await way(world)) as EstablishedStream;
    expect(stream).toMatchObject({ kind: 'theirs, both ways', verdict: 'certificate', proof: 'connection' });
    stream.send(words('1'));
    stream.send(words('2'));
    await settled();
    const [enabled, ...sent] = peer.taken();
    expect(enabled).toBe(`<enabled xmlns='${NS.streamManagement}'/>`);
    expect(sent).toEqual([
      `<message to='juliet@${THEIRS}' from='romeo@${OURS}' id='1'/>`,
      `<message to='juliet@${THEIRS}' from='romeo@${OURS}' id='2'/>`,
      `<r xmlns='${NS.streamManagement}'/>`,
    ]);
    peer.send(`<a xmlns='${NS.streamManagement}' h='1'/>`);
    expect(stream.unacknowledged).toBe(1);
    // what comes is counted for itself
    peer.send(text(`juliet@${THEIRS}`, `romeo@${OURS}`) + ASK);
    await settled();
    expect(peer.taken().at(-1)).toContain(`h='1'`);
    expect(stream.unacknowledged).toBe(1);
    peer.transport.break();
    await stream.closed;
    expect(await way(world)).toBeUndefined();
  });

  test('and what comes is acknowledged all the same while as much waits to be read as goes out at once', async () => {
    const { world, peer } = await authenticated();
    peer.send(ENABLE);
    const stream = (await way(world)) as EstablishedStream;
    peer.taken();
    peer.transport.buffered = 1_048_575;
    expect(stream.writable).toBe(true);
    peer.transport.buffered += 600_000; // one more was written, a large one
    expect(stream.writable).toBe(false);
    peer.send(text(`juliet@${THEIRS}`, `romeo@${OURS}`) + ASK);
    await settled();
    expect(peer.taken()).toEqual([expect.stringContaining(`h='1'`)]);
  });

  test('or begins to send', async () => {
    const { world, peer } = await authenticated();
    peer.send(text(`juliet@${THEIRS}`, `romeo@${OURS}`));
    const stream = (await way(world)) as EstablishedStream;
    expect(stream.management).toBeUndefined();
    stream.send(words('1'));
    expect(stream.unacknowledged).toBe(0);
    peer.transport.break();
    await stream.closed;
  });

  test('or says nothing for a moment', async () => {
    const { world } = await authenticated();
    await vi.advanceTimersByTimeAsync(900);
    expect(world.offered).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(world.offered).toEqual([`${OURS} ${THEIRS}`]);
  });

  test('where it has proved itself by dialback, for each pair that was proved', async () => {
    const world = incomingWorld(BY_KEY);
    const peer = world.connect();
    peer.open(THEIRS);
    await settled();
    peer.send(BIDI + result(THEIRS) + result('rooms.capulet.example'));
    await settled();
    peer.send(ENABLE + result(THEIRS, 'verona.example'));
    await settled();
    expect(world.offered).toEqual([`${OURS} ${THEIRS}`, `${OURS} rooms.capulet.example`, `verona.example ${THEIRS}`]);
    const [one, other] = [
      (await way(world)) as EstablishedStream,
      (await way(world, OURS, 'rooms.capulet.example')) as EstablishedStream,
    ];
    expect(one.verdict).toBe('dialback');
    one.send(words('1'));
    other.send(words('2', OURS, 'rooms.capulet.example'));
    one.send(words('3'));
    await settled();
    peer.send(`<a xmlns='${NS.streamManagement}' h='2'/>`);
    expect([one.unacknowledged, other.unacknowledged]).toEqual([1, 0]);
    peer.send('</stream:stream>');
    await Promise.all([one.closed, other.closed]);
  });

  test('within the limits that it has asked for it with', async () => {
    const limits = `<limits xmlns='${NS.streamLimits}'><max-bytes>200</max-bytes><idle-seconds>60</idle-seconds></limits>`;
    const asking = await authenticated(incomingWorld(), `<bidi xmlns='${NS.bidi}'>${limits}</bidi>`);
    asking.peer.send(ENABLE);
    const stream = (await way(asking.world)) as EstablishedStream;
    expect(stream.limits).toEqual({ maxBytes: 200, idleMs: 60_000 });
    expect([words('1'), words('x'.repeat(200))].map((text) => stream.takes(text))).toEqual([true, false]);
  });

  test('only where one of ours that was lost cannot go on', async () => {
    const { world, peer } = await authenticated();
    peer.send(ENABLE);
    const own = {} as EstablishedStream;
    expect(await world.returnWays.fallback(OURS, THEIRS, () => Promise.resolve(own))).toBe(own);
    const failure = new ConnectionFailure('connection', 'Nobody listens.');
    const failing = () => Promise.reject(failure);
    expect((await world.returnWays.fallback(OURS, THEIRS, failing)).kind).toBe('theirs, both ways');
    peer.send('</stream:stream>');
    await settled();
    await expect(world.returnWays.fallback(OURS, THEIRS, failing)).rejects.toBe(failure);
  });

  test('as soon as there is one, though another one is being made', async () => {
    const { world, peer } = await authenticated();
    const closed = vi.fn();
    const { promise, resolve } = Promise.withResolvers<EstablishedStream>();
    const first = world.returnWays.first(OURS, THEIRS, () => promise);
    peer.send(ENABLE);
    expect((await first).kind).toBe('theirs, both ways');
    expect(world.offered).toEqual([]); // somebody was waiting for it
    resolve({ close: closed } as unknown as EstablishedStream);
    await settled();
    expect(closed).toHaveBeenCalledOnce();
  });

  test('until it has nothing more to send: the stream stays for what comes', async () => {
    const { world, peer } = await authenticated();
    peer.send(ENABLE);
    const stream = (await way(world)) as EstablishedStream;
    stream.close('idle');
    expect(await stream.closed).toEqual({ reason: 'idle' });
    expect([stream.over, peer.closed]).toEqual([true, false]);
    const again = (await way(world)) as EstablishedStream;
    again.send(words('1'));
    again.close('not known what has arrived');
    expect(peer.closed).toBe(true);
    await again.closed;
  });
});

describe('nothing goes out on the stream of another server', () => {
  test('that has not asked for it', async () => {
    const { world, peer } = await authenticated(undefined, false);
    peer.send(ENABLE + text(`juliet@${THEIRS}`, `romeo@${OURS}`));
    expect(await way(world)).toBeUndefined();
  });

  test('that has not proved itself', async () => {
    const world = incomingWorld(BY_KEY);
    world.verify = () => new Promise(() => {});
    const peer = world.connect();
    peer.open(THEIRS);
    await settled();
    peer.send(BIDI + result(THEIRS));
    await settled();
    expect(await way(world)).toBeUndefined();
    world.verify = () => Promise.resolve(false);
    const forger = world.connect();
    forger.open(THEIRS);
    await settled();
    forger.send(BIDI + result(THEIRS));
    await settled();
    expect([forger.closed, await way(world), world.offered]).toEqual([true, undefined, []]);
  });

  test('for other domains than those that it has proved', async () => {
    const { world, peer } = await authenticated();
    peer.send(ENABLE);
    expect(await way(world, 'verona.example', THEIRS)).toBeUndefined();
    expect(await way(world, OURS, 'escalus.example')).toBeUndefined();
    expect(await way(world, OURS, 'a.capulet.example')).toBeUndefined();
  });

  test.each([
    ['where that is switched off', { bidirectional: false }],
    ['where its policy refuses it', { peers: [{ domain: THEIRS, bidirectional: false }] }],
  ])('%s', async (_, federation) => {
    const peer = incomingWorld(federation).connect(await showing([THEIRS]));
    peer.open(THEIRS);
    await settled();
    expect(peer.taken().join()).not.toContain('bidi');
    peer.send(BIDI);
    expect([peer.error, peer.closed]).toEqual(['policy-violation', true]);
  });

  test('for a further domain whose policy refuses it', async () => {
    const world = incomingWorld({ ...BY_KEY, peers: [{ domain: 'rooms.capulet.example', bidirectional: false }] });
    const peer = world.connect();
    peer.open(THEIRS);
    await settled();
    peer.send(BIDI + result(THEIRS) + result('rooms.capulet.example'));
    await settled();
    peer.send(ENABLE);
    expect(world.offered).toEqual([`${OURS} ${THEIRS}`]);
  });

  test('for a domain that secure DNS names other certificates for, though its key is good', async () => {
    const world = incomingWorld(BY_KEY);
    world.verdicts.set(THEIRS, { good: false, words: 'secure DNS names another', final: true });
    const peer = world.connect();
    peer.open(THEIRS);
    await settled();
    peer.send(BIDI + result(THEIRS) + result('rooms.capulet.example'));
    await settled();
    peer.send(ENABLE + text(`juliet@${THEIRS}`, `romeo@${OURS}`));
    expect([world.offered, world.taken.length]).toEqual([[`${OURS} rooms.capulet.example`], 1]);
  });

  test('where it asks without the encryption that the policy asks for', async () => {
    const peer = incomingWorld().connect((transport) => {
      transport.tls = undefined;
    });
    peer.open(THEIRS);
    await settled();
    expect(peer.taken().join()).not.toContain('bidi');
    peer.send(BIDI);
    expect(peer.error).toBe('policy-violation');
  });

  test('where it asks after it has proved itself', async () => {
    const { world, peer } = await authenticated(undefined, false);
    peer.send(BIDI);
    expect([peer.error, await way(world)]).toEqual(['policy-violation', undefined]);
  });

  test('that answers what nobody has asked', async () => {
    const { world, peer } = await authenticated();
    peer.send(`<db:result from='${THEIRS}' to='verona.example' type='valid'/>`);
    expect([peer.error, await way(world, 'verona.example')]).toEqual(['policy-violation', undefined]);
  });
});

test('nobody is asked about keys on such a stream', async () => {
  const { world, peer } = await authenticated();
  peer.send(ENABLE);
  const stream = (await way(world)) as EstablishedStream;
  const key = { receiving: OURS, originating: THEIRS, streamId: 'x', key: 'y' };
  await expect(stream.verify(key)).rejects.toThrow('on a stream of its own');
});
