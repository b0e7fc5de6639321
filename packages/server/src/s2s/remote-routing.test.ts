import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { Jid } from '@parley/xmpp/jid';
import { iq, message, type Origin, presence, type Stanza } from '@parley/xmpp/stanza';
import type { StanzaError } from '@parley/xmpp/stanza-error';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeStream as ManagedStream } from '../../../../tests/support/managed-session.ts';
import { federation } from '../config/federation.ts';
import { Dropped } from '../pipeline.ts';
import { DirectJournal } from '../session/journal.ts';
import { ResumptionStore } from '../session/resumption/resumption-store.ts';
import { Sessions } from '../session/sessions.ts';
import { ConnectionFailure } from './connection-failure.ts';
import type { StreamManagement } from './negotiation.ts';
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
  /** The connection was cut: the other side may keep the stream. */
  abandoned = false;
  usedAt = performance.now();
  unacknowledged = 0;
  onAcknowledged: (count: number) => void = () => {};
  readonly management: StreamManagement | undefined;
  #done: (() => void) | undefined;
  #end: (end: StreamEnd) => void = () => {};
  readonly closed = new Promise<StreamEnd>((resolve) => {
    this.#end = resolve;
  });

  constructor(management?: Partial<StreamManagement>) {
    this.management = management && { id: undefined, resumedAt: undefined, handledBefore: undefined, ...management };
  }

  takes(text: string): boolean {
    return idOf(text) !== 'huge';
  }

  send(text: string): void {
    this.usedAt = performance.now();
    this.sent.push(idOf(text));
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

  abandon(reason: string): void {
    this.abandoned = true;
    this.end(reason);
  }

  end(reason: string): void {
    this.over = true;
    this.writable = false;
    this.#end({ reason });
  }
}

const idOf = (text: string) => / id='([^']*)'/.exec(text)?.[1] ?? '';

let attempts: {
  remote: string;
  previous: string | undefined;
  open: (stream: FakeStream) => void;
  fail: (error: Error) => void;
}[];
let answers: string[];
let keyspace: Keyspace;
let routing: RemoteRouting;
let settings: RemoteRoutingSettings;

/** A node on the keyspace that there is, alone. */
async function start(peers: object[] = []): Promise<void> {
  const config = federation.parse({ peers });
  const sessions = new Sessions();
  const store = new ResumptionStore({ keyspace, onDamaged: fault });
  const route = (stanza: Stanza) => routing.send(stanza);
  routing = new RemoteRouting({
    sessions,
    store,
    journal: () => new DirectJournal(sessions),
    nodes: undefined,
    stream: () => new ManagedStream().stream,
    again: () => new Promise((resolve) => setTimeout(resolve, 100)),
    route,
    onFault: fault,
    settings: () => settings,
    policy: (remote) => peerPolicy(config, remote),
    isOurs: (domain) => domain === 'local.example',
    open: (_, remote, previous) =>
      new Promise((resolve, fail) => {
        const open = (stream: FakeStream) => resolve(stream as unknown as EstablishedStream);
        attempts.push({ remote, previous, open, fail });
      }),
    answer: (stanza, error, prepare = (answer) => answer) => {
      const { id, origin } = prepare(stanza.error(error as StanzaError));
      answers.push(`${id} ${(error as StanzaError).condition}`);
      origins.push(origin);
    },
    onSent() {},
    onOpen() {},
    onEnd() {},
    onFailure() {},
    onLimit() {},
  });
  await routing.sessions.reap((owner) => owner !== store.owner);
  routing.start();
}

let origins: (Origin | undefined)[];
const fault = (error: unknown) => {
  throw error;
};

beforeEach(async () => {
  ({ keyspace } = await openKeyspace('embedded::memory:'));
  vi.useFakeTimers();
  vi.spyOn(Math, 'random').mockReturnValue(0.5); // no jitter
  attempts = [];
  answers = [];
  origins = [];
  settings = SETTINGS;
  await start();
});

afterEach(async () => {
  await routing.stop();
  vi.useRealTimers();
  await keyspace.close();
});

const to = (domain: string) => Jid.parse(`juliet@${domain}`);
const words = (id: string, domain = 'remote.example') => message({ from: LOCAL, to: to(domain), id });
const refused = new ConnectionFailure('connection', 'Nobody listens.', { timeout: true });
const unknown = new ConnectionFailure('dns', 'It is not known.', { lasting: true });
/** What is under way in the keyspace is done. */
async function turn(): Promise<void> {
  for (let n = 0; n < 20; n++) await vi.advanceTimersByTimeAsync(0);
}

/** Hands it over, and has it taken. */
async function send(...stanzas: Stanza[]): Promise<void> {
  await Promise.all(stanzas.map((stanza) => routing.send(stanza)));
  await turn();
}

const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

async function opened(index = 0, management?: Partial<StreamManagement>): Promise<FakeStream> {
  const stream = new FakeStream(management);
  attempts[index]?.open(stream);
  await turn();
  return stream;
}

/** How it is refused, be it at once or by an answer. */
async function conditionOf(stanza: Stanza): Promise<string | undefined> {
  const before = answers.length;
  try {
    await routing.send(stanza);
    return answers[before]?.split(' ')[1];
  } catch (error) {
    return error instanceof Dropped ? 'dropped' : (error as StanzaError).condition;
  }
}

describe('the way out', () => {
  test('is made once, and what waits goes in order before what comes later', async () => {
    for (const id of ['1', '2', '3']) await send(words(id));
    expect(attempts.length).toBe(1);
    const stream = await opened();
    await send(words('4'));
    expect(stream.sent).toEqual(['1', '2', '3', '4']);
    expect(routing.waiting).toEqual({ bytes: 0, stanzas: 0 });
  });

  test('waits for whoever reads slowly', async () => {
    await send(words('1'));
    const stream = await opened();
    stream.writable = false;
    for (const id of ['2', '3']) await send(words(id));
    expect(stream.sent).toEqual(['1']);
    stream.drained();
    expect(stream.sent).toEqual(['1', '2', '3']);
  });

  test('closes when nothing has gone for a while, and is forgotten then', async () => {
    await send(words('1'));
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
      await send(words('1', domain));
      streams.push(await opened(index));
      await seconds(1);
    }
    expect(streams.map(({ over }) => over)).toEqual([true, false, false]);
  });
});

describe('what cannot be sent', () => {
  test('is answered once, and at once, where nobody is there', async () => {
    await send(words('1'));
    await send(iq({ from: LOCAL, to: to('remote.example'), id: '2', type: 'get' }));
    await send(presence({ from: LOCAL, to: to('remote.example'), id: '3' }));
    attempts[0]?.fail(unknown);
    await turn();
    expect(answers).toEqual(['1 remote-server-not-found', '2 remote-server-not-found']);
    expect(await conditionOf(words('4'))).toBe('remote-server-not-found');
    expect(await conditionOf(presence({ from: LOCAL, to: to('remote.example') }))).toBeUndefined();
    await seconds(1000);
    expect(answers.length).toBe(3);
    expect(attempts.length).toBe(1);
  });

  test('waits for further attempts, ever further apart, and is answered when its time is over', async () => {
    await send(words('1'));
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
    await send(words('1'));
    attempts[0]?.fail(refused);
    await turn();
    expect(answers).toEqual(['1 remote-server-timeout']);
    expect(await conditionOf(words('2'))).toBe('remote-server-timeout');
    await seconds(101);
    await send(words('3'));
    expect(attempts.length).toBe(2);
  });

  test('does not wait for an attempt that never ends', async () => {
    await send(words('1'));
    await seconds(61);
    expect(answers).toEqual(['1 remote-server-timeout']);
  });

  test('is tried again, though it came after the last attempt had failed', async () => {
    settings = { ...SETTINGS, waitMs: 3000, firstRetryMs: 5000 };
    await send(words('1'));
    attempts[0]?.fail(refused);
    await turn();
    expect(answers).toEqual(['1 remote-server-timeout']); // its time is over before the next attempt
    await seconds(4);
    await send(words('2'));
    expect(attempts.length).toBe(1);
    await seconds(1);
    expect((await opened(1)).sent).toEqual(['2']);
  });

  test('because it is too large for the other side is answered', async () => {
    await send(words('huge'));
    await send(words('1'));
    const stream = await opened();
    expect(stream.sent).toEqual(['1']);
    expect(answers).toEqual(['huge policy-violation']);
    expect(await conditionOf(words('huge'))).toBe('policy-violation');
  });

  test('has a moment to arrive when the server stops, where somebody is there', async () => {
    await send(words('1'));
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
    await send(words('1', 'other.example'));
    void routing.settle(5000).then(settled);
    await seconds(6);
    expect(settled).toHaveBeenCalledTimes(2);
  });

  test('is no more than there is room for', async () => {
    for (const id of ['1', '2', '3', '4', '5']) await send(words(id));
    expect(await conditionOf(words('6'))).toBe('resource-constraint');
    expect(await conditionOf(words('1', 'other.example'))).toBeUndefined();
    settings = { ...SETTINGS, maxTotalBytes: 1 };
    expect(await conditionOf(words('2', 'other.example'))).toBe('resource-constraint');
    settings = { ...SETTINGS, maxBytes: 1 };
    expect(await conditionOf(words('2', 'other.example'))).toBe('resource-constraint');
  });
});

describe('a stream that ends', () => {
  test('has what it did not acknowledge sent again, before all else', async () => {
    await send(words('0'), words('1'), words('2'));
    const first = await opened(0, {});
    first.onAcknowledged(1);
    await seconds(20);
    first.end('reset');
    await turn();
    await send(words('3'));
    const second = await opened(1);
    expect(second.sent).toEqual(['1', '2', '3']);
  });

  test('over and over is no better than none', async () => {
    await send(words('1'));
    for (let n = 0; n < 3; n++) {
      const stream = await opened(n, {});
      stream.end('reset');
      await seconds(10);
    }
    expect(answers).toEqual(['1 remote-server-timeout']);
    await seconds(600);
    expect(attempts.length).toBe(3);
  });
});

describe('the policy', () => {
  test('is asked before anything else', async () => {
    await start([
      { domain: 'closed.example', allow: false },
      { domain: 'quiet.example', stanzas: ['message'] },
    ]);
    expect(await conditionOf(words('1', 'closed.example'))).toBe('not-allowed');
    expect(await conditionOf(iq({ from: LOCAL, to: to('quiet.example'), id: '1', type: 'get' }))).toBe('not-allowed');
    expect(await conditionOf(presence({ from: LOCAL, to: to('quiet.example') }))).toBe('dropped');
    expect(attempts).toEqual([]);
    expect(await conditionOf(words('1', 'quiet.example'))).toBeUndefined();
  });

  test('nobody relays for others', async () => {
    const foreign = message({ from: Jid.parse('a@other.example'), to: to('remote.example'), id: '1' });
    expect(await conditionOf(foreign)).toBe('dropped');
    expect(await conditionOf(message({ to: to('remote.example') }))).toBe('dropped');
    expect(attempts).toEqual([]);
  });
});
