import { Jid } from '@parley/xmpp/jid';
import { iq, message, presence, type Stanza } from '@parley/xmpp/stanza';
import type { StanzaError } from '@parley/xmpp/stanza-error';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { federation } from '../config/federation.ts';
import { Dropped } from '../pipeline.ts';
import { ConnectionFailure } from './connection-failure.ts';
import type { EstablishedStream, StreamEnd } from './outgoing-stream.ts';
import { peerPolicy } from './policy.ts';
import { RemoteRouting, type RemoteRoutingSettings } from './remote-routing.ts';

const LOCAL = Jid.parse('romeo@local.example/a');
const SETTINGS: RemoteRoutingSettings = {
  waitMs: 60_000,
  firstRetryMs: 2000,
  maxRetryMs: 300_000,
  idleMs: 600_000,
  maxStanzas: 5,
  maxBytes: 100_000,
  maxTotalBytes: 100_000,
  outgoing: 2,
};

class FakeStream {
  readonly sent: string[] = [];
  writable = true;
  over = false;
  usedAt = performance.now();
  unacknowledged = 0;
  #done: (() => void) | undefined;
  #end: (end: StreamEnd) => void = () => {};
  readonly closed = new Promise<StreamEnd>((resolve) => {
    this.#end = resolve;
  });

  send(stanza: Stanza): boolean {
    if (stanza.id === 'huge') return false;
    this.usedAt = performance.now();
    this.sent.push(stanza.id ?? '');
    return true;
  }

  whenWritable(done: () => void): void {
    this.#done = done;
  }

  drained(): void {
    this.writable = true;
    this.#done?.();
  }

  close(reason: string): void {
    this.end(reason);
  }

  end(reason: string, unacknowledged: readonly Stanza[] = []): void {
    this.over = true;
    this.writable = false;
    this.#end({ reason, unacknowledged });
  }
}

let attempts: { remote: string; open: (stream: FakeStream) => void; fail: (error: Error) => void }[];
let answers: string[];
let routing: RemoteRouting;
let settings: RemoteRoutingSettings;

function start(peers: object[] = []): void {
  const config = federation.parse({ peers });
  routing = new RemoteRouting({
    settings: () => settings,
    policy: (remote) => peerPolicy(config, remote),
    isOurs: (domain) => domain === 'local.example',
    open: (_, remote) =>
      new Promise((resolve, fail) => {
        const open = (stream: FakeStream) => resolve(stream as unknown as EstablishedStream);
        attempts.push({ remote, open, fail });
      }),
    answer: (stanza, error) => answers.push(`${stanza.id} ${error.condition}`),
    onSent() {},
    onOpen() {},
    onEnd() {},
    onFailure() {},
    onLimit() {},
  });
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5); // no jitter
  attempts = [];
  answers = [];
  settings = SETTINGS;
  start();
});

afterEach(() => {
  routing.stop();
  vi.useRealTimers();
});

const to = (domain: string) => Jid.parse(`juliet@${domain}`);
const words = (id: string, domain = 'remote.example') => message({ from: LOCAL, to: to(domain), id });
const refused = new ConnectionFailure('connection', 'Nobody listens.', { timeout: true });
const unknown = new ConnectionFailure('dns', 'It is not known.', { lasting: true });
const turn = () => vi.advanceTimersByTimeAsync(0);
const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

async function opened(index = 0): Promise<FakeStream> {
  const stream = new FakeStream();
  attempts[index]?.open(stream);
  await turn();
  return stream;
}

function conditionOf(stanza: Stanza): string | undefined {
  try {
    routing.send(stanza);
    return undefined;
  } catch (error) {
    return error instanceof Dropped ? 'dropped' : (error as StanzaError).condition;
  }
}

describe('the way out', () => {
  test('is made once, and what waits goes in order before what comes later', async () => {
    for (const id of ['1', '2', '3']) routing.send(words(id));
    expect(attempts.length).toBe(1);
    const stream = await opened();
    routing.send(words('4'));
    expect(stream.sent).toEqual(['1', '2', '3', '4']);
    expect(routing.waiting).toEqual({ bytes: 0, stanzas: 0 });
  });

  test('waits for whoever reads slowly', async () => {
    routing.send(words('1'));
    const stream = await opened();
    stream.writable = false;
    for (const id of ['2', '3']) routing.send(words(id));
    expect(stream.sent).toEqual(['1']);
    stream.drained();
    expect(stream.sent).toEqual(['1', '2', '3']);
  });

  test('closes when nothing has gone for a while, and is forgotten then', async () => {
    routing.send(words('1'));
    const stream = await opened();
    await seconds(599);
    expect(stream.over).toBe(false);
    await seconds(5);
    expect(stream.over).toBe(true);
    expect(routing.queues).toEqual([]);
  });

  test('one stream too many closes the one that was idle longest', async () => {
    const streams: FakeStream[] = [];
    for (const [index, domain] of ['a.example', 'b.example', 'c.example'].entries()) {
      routing.send(words('1', domain));
      streams.push(await opened(index));
      await seconds(1);
    }
    expect(streams.map(({ over }) => over)).toEqual([true, false, false]);
  });
});

describe('what cannot be sent', () => {
  test('is answered once, and at once, where nobody is there', async () => {
    routing.send(words('1'));
    routing.send(iq({ from: LOCAL, to: to('remote.example'), id: '2', type: 'get' }));
    routing.send(presence({ from: LOCAL, to: to('remote.example'), id: '3' }));
    attempts[0]?.fail(unknown);
    await turn();
    expect(answers).toEqual(['1 remote-server-not-found', '2 remote-server-not-found']);
    expect(conditionOf(words('4'))).toBe('remote-server-not-found');
    expect(conditionOf(presence({ from: LOCAL, to: to('remote.example') }))).toBe('dropped');
    await seconds(1000);
    expect(answers.length).toBe(2);
    expect(attempts.length).toBe(1);
  });

  test('waits for further attempts, ever further apart, and is answered when its time is over', async () => {
    routing.send(words('1'));
    const at: number[] = [];
    const begun = performance.now();
    for (let n = 0; n < 70; n++) {
      const attempt = attempts[at.length];
      if (attempt !== undefined) {
        at.push(Math.round((performance.now() - begun) / 1000));
        attempt.fail(refused);
      }
      await seconds(1);
    }
    expect(at).toEqual([0, 2, 6, 14, 30]);
    expect(answers).toEqual(['1 remote-server-timeout']);
  });

  test('is refused at once while the next attempt is too far away', async () => {
    settings = { ...SETTINGS, firstRetryMs: 100_000 };
    routing.send(words('1'));
    attempts[0]?.fail(refused);
    await turn();
    expect(answers).toEqual(['1 remote-server-timeout']);
    expect(conditionOf(words('2'))).toBe('remote-server-timeout');
    await seconds(101);
    routing.send(words('3'));
    expect(attempts.length).toBe(2);
  });

  test('does not wait for an attempt that never ends', async () => {
    routing.send(words('1'));
    await seconds(61);
    expect(answers).toEqual(['1 remote-server-timeout']);
  });

  test('is tried again, though it came after the last attempt had failed', async () => {
    settings = { ...SETTINGS, waitMs: 3000, firstRetryMs: 5000 };
    routing.send(words('1'));
    attempts[0]?.fail(refused);
    await turn();
    expect(answers).toEqual(['1 remote-server-timeout']); // its time is over before the next attempt
    await seconds(4);
    routing.send(words('2'));
    expect(attempts.length).toBe(1);
    await seconds(1);
    expect((await opened(1)).sent).toEqual(['2']);
  });

  test('because it is too large for the other side is answered', async () => {
    routing.send(words('huge'));
    routing.send(words('1'));
    const stream = await opened();
    expect(stream.sent).toEqual(['1']);
    expect(answers).toEqual(['huge policy-violation']);
    expect(conditionOf(words('huge'))).toBe('policy-violation');
  });

  test('has a moment to arrive when the server stops, where somebody is there', async () => {
    routing.send(words('1'));
    const settled = vi.fn();
    void routing.settle(5000).then(settled);
    await seconds(1);
    const stream = await opened();
    stream.unacknowledged = 1;
    await seconds(1);
    expect(settled).not.toHaveBeenCalled();
    stream.unacknowledged = 0;
    await seconds(0.1);
    expect(settled).toHaveBeenCalled();
    routing.send(words('1', 'other.example'));
    void routing.settle(5000).then(settled);
    await seconds(6);
    expect(settled).toHaveBeenCalledTimes(2);
  });

  test('is answered when the server stops', async () => {
    routing.send(words('1'));
    routing.stop();
    expect(answers).toEqual(['1 remote-server-timeout']);
  });

  test('is no more than there is room for', () => {
    for (const id of ['1', '2', '3', '4', '5']) routing.send(words(id));
    expect(conditionOf(words('6'))).toBe('resource-constraint');
    expect(conditionOf(words('1', 'other.example'))).toBeUndefined();
    settings = { ...SETTINGS, maxTotalBytes: 1 };
    expect(conditionOf(words('2', 'other.example'))).toBe('resource-constraint');
    settings = { ...SETTINGS, maxBytes: 1 };
    expect(conditionOf(words('2', 'other.example'))).toBe('resource-constraint');
  });
});

describe('a stream that ends', () => {
  test('has what it did not acknowledge sent again, before all else', async () => {
    routing.send(words('1'));
    const first = await opened();
    await seconds(20);
    first.end('reset', [words('1'), words('2')]);
    await turn();
    routing.send(words('3'));
    const second = await opened(1);
    expect(second.sent).toEqual(['1', '2', '3']);
  });

  test('over and over is no better than none', async () => {
    const stanza = words('1');
    routing.send(stanza);
    for (let n = 0; n < 3; n++) {
      const stream = await opened(n);
      stream.end('reset', [stanza]);
      await seconds(10);
    }
    expect(answers).toEqual(['1 remote-server-timeout']);
    await seconds(600);
    expect(attempts.length).toBe(3);
  });
});

describe('the policy', () => {
  test('is asked before anything else', () => {
    start([
      { domain: 'closed.example', allow: false },
      { domain: 'quiet.example', stanzas: ['message'] },
    ]);
    expect(conditionOf(words('1', 'closed.example'))).toBe('not-allowed');
    expect(conditionOf(iq({ from: LOCAL, to: to('quiet.example'), id: '1', type: 'get' }))).toBe('not-allowed');
    expect(conditionOf(presence({ from: LOCAL, to: to('quiet.example') }))).toBe('dropped');
    expect(attempts).toEqual([]);
    expect(conditionOf(words('1', 'quiet.example'))).toBeUndefined();
  });

  test('nobody relays for others', () => {
    const foreign = message({ from: Jid.parse('a@other.example'), to: to('remote.example'), id: '1' });
    expect(conditionOf(foreign)).toBe('dropped');
    expect(conditionOf(message({ to: to('remote.example') }))).toBe('dropped');
    expect(attempts).toEqual([]);
  });
});
