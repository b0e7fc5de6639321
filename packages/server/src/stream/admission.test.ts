import { Registry } from '@parley/metrics/registry';
import { StreamError } from '@parley/xmpp/stream-error';
import { afterEach, expect, it, vi } from 'vitest';
import { turns } from '../../../../tests/support/managed-session.ts';
import { Admission } from './admission.ts';
import type { Stream } from './stream.ts';

afterEach(() => {
  vi.useRealTimers();
});

function start(perSecond: number) {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  let now = 0;
  const { metrics } = new Registry();
  const rate = { perSecond, maxWaitSeconds: 2 };
  const config = () => ({ limits: { logins: rate, resumptions: rate } }) as never;
  const admission = new Admission({ config, metrics, now: () => now });
  const got: string[] = [];
  const limits: string[] = [];
  const streams = new Map<string, Stream>();
  const enter = (kind: 'login' | 'resumption', name: string, returns = false) => {
    const host = { onLimit: (_: Stream, limit: string) => limits.push(limit) };
    const stream = { host, untimed: (turn: Promise<void>) => turn } as unknown as Stream;
    streams.set(name, stream);
    const turn = admission[kind](stream, () => returns);
    if (turn === undefined) got.push(name);
    else void turn.then(() => got.push(name));
  };
  const pass = async (ms: number) => {
    for (const until = now + ms; now < until; ) {
      now += 10;
      vi.advanceTimersByTime(10);
      await turns(2);
    }
  };
  /** The event loop does something else for so long. */
  const stall = (ms: number) => {
    now += ms;
  };
  const forget = (name: string) => admission.forget(streams.get(name) as Stream);
  return { metrics, got, limits, enter, pass, stall, forget };
}

it('lets those in first who resume a session, and counts who waits, and for how long', async () => {
  const { metrics, got, enter, pass } = start(4);
  for (const name of ['a', 'b', 'c']) enter('login', name);
  for (const name of ['A', 'B', 'C']) enter('resumption', name);
  expect(got).toEqual(['a', 'A']);
  const waiting = (kind: 'login' | 'resumption') => metrics.admissionWaiting.with({ kind }).value;
  expect([waiting('login'), waiting('resumption')]).toEqual([2, 2]);
  await pass(3000);
  expect(got).toEqual(['a', 'A', 'B', 'b', 'C', 'c']);
  expect([waiting('login'), waiting('resumption')]).toEqual([0, 0]);
  expect(metrics.admissionWait.with({ kind: 'login' }).counts.reduce((sum, count) => sum + count)).toBe(2);
  expect(vi.getTimerCount()).toBe(0); // nothing is looked at where nobody waits
});

it('lets in fewer while the event loop is late, and more again as it is on time', async () => {
  const { got, enter, pass, stall } = start(100);
  for (let count = 0; count < 190; count++) enter('login', String(count));
  const during = async (late: number) => {
    const before = got.length;
    for (let time = 0; time < 500; time += 20 + late) {
      stall(late);
      await pass(20);
    }
    return got.length - before;
  };
  const [first, busy, idle] = [await during(0), await during(30), await during(0)];
  expect(busy).toBeLessThan(first);
  expect(idle).toBeGreaterThan(busy);
  expect(busy).toBeGreaterThan(0); // they get their turn all the same
});

it('lets those log in first who have shown that they come back to a session', async () => {
  const { got, enter, pass } = start(4);
  for (const name of ['a', 'nobody']) enter('login', name);
  for (const name of ['new', 'back', 'back too']) enter('login', name, name.startsWith('back'));
  await pass(5000);
  expect(got).toEqual(['a', 'back', 'back too', 'nobody', 'new']);
});

it('has one timer for everybody, and none for who has left', async () => {
  const { got, enter, pass, forget } = start(1);
  for (const name of ['a', 'b', 'c']) enter('login', name);
  expect(vi.getTimerCount()).toBe(1);
  forget('b');
  forget('c');
  await pass(30);
  expect([got, vi.getTimerCount()]).toEqual([['a', 'b', 'c'], 0]);
});

it('sends away who would wait for too long, with nothing that a client takes for its own failure', () => {
  const { limits, enter } = start(1);
  for (const name of ['a', 'b', 'c']) enter('login', name);
  expect(() => enter('login', 'd')).toThrow(StreamError);
  for (const name of ['A', 'B', 'C']) enter('resumption', name);
  expect(() => enter('resumption', 'D')).toThrow('Too many clients come at once');
  expect(limits).toEqual(['logins-rate', 'resumptions-rate']);
});
