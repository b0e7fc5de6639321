import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Session } from '../../session/session.ts';
import { DetachedSessions } from './detached-sessions.ts';

let all: Session[];
let log: string[];
let most: number;
let detached: DetachedSessions;

beforeEach(() => {
  vi.useFakeTimers();
  all = [];
  log = [];
  most = 100;
  detached = new DetachedSessions({
    sessionsOf: (session) => all.filter((other) => other.account === session.account),
    most: () => most,
    onLimit: (session) => log.push(`limit ${session.sessionId}`),
  });
});

afterEach(() => {
  vi.useRealTimers();
});

function session(sessionId: string, maxSeconds = 10, account = 'juliet'): Session {
  const made = {
    sessionId,
    account,
    management: { maxSeconds },
    finish(reason: string) {
      log.push(`${sessionId} ${reason}`);
      all = all.filter((other) => other !== (made as unknown));
      detached.remove(made as unknown as Session);
    },
  } as unknown as Session;
  all.push(made);
  return made;
}

it('ends each when its time is over', () => {
  detached.add(session('a', 10));
  detached.add(session('b', 86_400));
  vi.advanceTimersByTime(9999);
  expect(log).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(log).toEqual(['a its client did not come back']);
  vi.advanceTimersByTime(86_390_000);
  expect(log[1]).toBe('b its client did not come back');
  expect(detached.size).toBe(0);
});

it('leaves alone who came back, and gives them their whole time the next time', () => {
  const a = session('a');
  detached.add(a);
  vi.advanceTimersByTime(9000);
  detached.remove(a);
  vi.advanceTimersByTime(9000);
  detached.add(a);
  vi.advanceTimersByTime(9000);
  expect(log).toEqual([]);
  vi.advanceTimersByTime(1000);
  expect(log).toHaveLength(1);
});

it('ends the one that has waited longest where an account has too many', () => {
  most = 2;
  const [a, b, c] = [session('a'), session('b'), session('c')];
  detached.add(c);
  detached.add(a);
  detached.add(session('x', 10, 'romeo'));
  expect(log).toEqual([]);
  detached.add(b);
  expect(log).toEqual(['limit b', 'c too many sessions of the account wait for their clients']);
  detached.remove(a);
  detached.add(a); // now it waits shorter than b
  detached.add(session('d'));
  expect(log.slice(2)).toEqual(['limit d', 'b too many sessions of the account wait for their clients']);
});

it('can allow none at all', () => {
  most = 0;
  detached.add(session('a'));
  expect(log).toEqual(['limit a', 'a too many sessions of the account wait for their clients']);
});

it('forgets all as the node stops', () => {
  detached.add(session('a'));
  detached.clear();
  vi.advanceTimersByTime(1e6);
  expect([log, detached.size]).toEqual([[], 0]);
});
