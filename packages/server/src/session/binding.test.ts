import { Jid } from '@parley/xmpp/jid';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { StreamError } from '@parley/xmpp/stream-error';
import { beforeEach, expect, it } from 'vitest';
import { FakeStream } from '../../../../tests/support/managed-session.ts';
import { bindSession } from './binding.ts';
import type { Session, SessionHost } from './session.ts';
import { Sessions } from './sessions.ts';

let sessions: Sessions;
let log: string[];
const stream = new FakeStream();

beforeEach(() => {
  sessions = new Sessions();
  log = [];
});

function existing(resource: string, { detached = false, sid = resource, boundAt = 1 } = {}): Session {
  const jid = Jid.parse(`juliet@capulet.lit/${resource}`);
  const session = { jid, account: jid.bare, sessionId: sid, boundAt, detached } as unknown as Session;
  session.end = (error?: StreamError) => {
    log.push(`${resource} ${error?.condition}`);
    sessions.remove(session);
  };
  sessions.add(session);
  return session;
}

const bind = (resource: string) =>
  bindSession(
    { sessions, host: {} as SessionHost, maxPerAccount: () => 2, onBound: ({ jid }) => log.push(`bound ${jid}`) },
    stream.stream,
    Jid.parse(`juliet@capulet.lit/${resource}`),
  );

it('binds as many as an account may have', () => {
  existing('a');
  bind('b');
  expect(log).toEqual(['bound juliet@capulet.lit/b']);
  expect(() => bind('c')).toThrow(StanzaError);
  expect(stream.limits).toEqual(['sessions-per-account']);
  expect(sessions.size).toBe(2);
});

it('the newer of two with the same resource has it, however many there are', () => {
  existing('a');
  existing('b');
  bind('a');
  expect(log).toEqual(['a conflict', 'bound juliet@capulet.lit/a']);
  expect(sessions.size).toBe(2);
});

it('ends all that had the resource, be it that one of them was replaced before and has not heard of it', () => {
  const stale = existing('a', { sid: 'stale' });
  existing('a', { boundAt: 2 });
  bind('a');
  expect(log).toEqual(['a conflict', 'a conflict', 'bound juliet@capulet.lit/a']);
  expect([sessions.size, sessions.owned(stale)]).toEqual([1, undefined]);
});

it('one that waits for its client makes room, the oldest first', () => {
  existing('a');
  existing('b', { detached: true });
  bind('c');
  expect(log).toEqual(['b undefined', 'bound juliet@capulet.lit/c']);
});

it('one that waits for its client is left alone where there is room', () => {
  existing('a', { detached: true });
  bind('b');
  expect(log).toEqual(['bound juliet@capulet.lit/b']);
});
