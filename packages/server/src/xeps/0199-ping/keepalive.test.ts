import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import type { StreamError } from '@parley/xmpp/stream-error';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../../session/session.ts';
import { Keepalive } from './keepalive.ts';

class FakeSession {
  readonly jid: Jid;
  readonly stream = { silence: 0, reading: true };
  detached = false;
  error: StreamError | undefined;

  constructor(resource: string) {
    this.jid = Jid.parse(`juliet@capulet.lit/${resource}`);
  }

  end(error: StreamError): void {
    this.error = error;
    sessions.delete(this as unknown as Session);
    keepalive.forget(this as unknown as Session);
  }

  /** Something came from the client. */
  speak(): void {
    this.stream.silence = 0;
  }
}

let sessions: Set<Session>;
let keepalive: Keepalive;
let asked: string[];
let payloads: Element[];

beforeEach(() => {
  sessions = new Set();
  asked = [];
  payloads = [];
  keepalive = new Keepalive({
    sessions,
    limits: () => ({ idleSeconds: 180, timeoutSeconds: 60 }),
    ask: (session, payload) => {
      asked.push(session.jid.resource);
      payloads.push(payload);
    },
    onGone: () => {},
  });
});

function session(resource = 'balcony'): FakeSession {
  const fake = new FakeSession(resource);
  sessions.add(fake as unknown as Session);
  return fake;
}

const pass = (seconds: number) => {
  for (let i = 0; i < seconds; i++) keepalive.tick();
};

it('asks a session that was silent for the time, once', () => {
  session();
  pass(179);
  expect(asked).toEqual([]);
  pass(30);
  expect(asked).toEqual(['balcony']);
  expect(payloads.map(String)).toEqual([`<ping xmlns='urn:xmpp:ping'/>`]);
});

it('ends it where nothing comes in time, within five minutes of the last sign of life', () => {
  const silent = session();
  pass(180 + 59);
  expect(silent.error).toBeUndefined();
  pass(1);
  expect(silent.error?.condition).toBe('connection-timeout');
  expect(keepalive.waiting).toBe(0);
});

it('takes anything at all for a sign of life, and asks again after the next silence', () => {
  const alive = session();
  for (let round = 1; round <= 3; round++) {
    pass(180 + 30);
    expect(asked).toHaveLength(round);
    alive.speak();
    pass(1);
    expect(keepalive.waiting).toBe(0);
  }
  expect(alive.error).toBeUndefined();
});

it('never asks a session that speaks in time', () => {
  const alive = session();
  for (let i = 0; i < 10; i++) {
    pass(179);
    alive.speak();
  }
  expect(asked).toEqual([]);
});

it('does not take a session for silent while the server does not read', () => {
  const paused = session();
  paused.stream.reading = false;
  pass(1000);
  expect(asked).toEqual([]);
  paused.stream.reading = true;
  pass(180);
  expect(asked).toEqual(['balcony']);
  paused.stream.reading = false;
  pass(1000);
  expect(paused.error).toBeUndefined();
});

it('forgets a session that ends otherwise', () => {
  const gone = session();
  pass(180);
  gone.end(undefined as never);
  expect(keepalive.waiting).toBe(0);
  pass(100);
  expect(gone.error).toBeUndefined();
});

describe('many sessions that fall idle together', () => {
  it('are asked over half a minute, and found dead all the same', () => {
    const all = Array.from({ length: 3000 }, (_, i) => session(`r${i}`));
    pass(180);
    expect(asked).toHaveLength(100);
    pass(29);
    expect(new Set(asked).size).toBe(3000);
    pass(61);
    expect(all.filter(({ error }) => error === undefined)).toEqual([]);
  });
});

describe('a session that waits for its client', () => {
  it('is not asked, and not ended since it was asked before', () => {
    const lost = session();
    pass(180);
    expect(keepalive.waiting).toBe(1);
    lost.detached = true;
    pass(1000);
    expect([asked.length, lost.error, keepalive.waiting]).toEqual([1, undefined, 0]);
    lost.detached = false;
    lost.speak();
    pass(179);
    expect(asked).toHaveLength(1);
    pass(1);
    expect(asked).toHaveLength(2);
  });
});
