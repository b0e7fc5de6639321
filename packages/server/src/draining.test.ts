import { expect, it } from 'vitest';
import { turns } from '../../../tests/support/managed-session.ts';
import { Draining, type DrainingHost } from './draining.ts';
import type { Session } from './session/session.ts';
import { Sessions } from './session/sessions.ts';
import type { Stream } from './stream/stream.ts';
import { Streams } from './stream/streams.ts';

/** A node of so many clients, each second of whom may come back. */
function start(count: number, { seconds = 60, sessionsPerSecond = 100, alone = false } = {}) {
  const streams = new Streams();
  const sessions = new Sessions();
  const moved: string[] = [];
  for (let index = 0; index < count; index++) {
    const resumable = index % 2 === 0;
    const account = { bareText: `user${index}@localhost` };
    const jid = { bareText: account.bareText, resource: 'managed' };
    const session = { jid, account, sessionId: String(index), detached: false, management: { resumable } };
    const stream = {
      error() {
        streams.remove(stream);
        session.detached = true;
        if (!resumable) sessions.remove(session as never);
      },
    } as unknown as Stream;
    streams.add(stream);
    sessions.add(session as never);
  }
  const others = {
    alone,
    async handOver(session: Session) {
      if (session.sessionId === '0') throw new Error('one cannot go');
      sessions.remove(session);
      moved.push(session.sessionId);
    },
  };
  const faults: unknown[] = [];
  const host: DrainingHost = {
    streams,
    sessions,
    others,
    settings: () => ({ seconds, sessionsPerSecond }),
    onFault: (error) => faults.push(error),
    now: () => now,
    pause: (ms, signal) =>
      new Promise((resolve, reject) => {
        waiting.push({ at: now + ms, resolve });
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  };
  let now = 0;
  let waiting: { at: number; resolve(): void }[] = [];
  /** So many milliseconds, with all that waits for them. */
  const pass = async (ms: number) => {
    for (const until = now + ms; now < until; now += 10) {
      const due = waiting.filter(({ at }) => at <= now);
      waiting = waiting.filter(({ at }) => at > now);
      for (const { resolve } of due) resolve();
      await turns(3);
    }
  };
  return { draining: new Draining(host), streams, sessions, moved, others, faults, pass };
}

it('closes streams at the pace that is set, and hands over what is left in the end', async () => {
  const { draining, streams, sessions, moved, faults, pass } = start(400);
  const done = draining.start();
  expect(draining.start()).toBe(done);
  await pass(1000);
  expect(streams.size).toBeGreaterThan(280);
  expect(streams.size).toBeLessThan(320);
  expect([draining.state, moved]).toEqual(['running', []]);
  await pass(3100);
  expect([streams.size, sessions.size, moved.length]).toEqual([0, 200, 0]); // they may come back by themselves
  await pass(1000 + 2100);
  expect([draining.state, sessions.size, moved.length]).toEqual(['done', 1, 199]);
  expect(faults.map(String)).toEqual(['Error: one cannot go']);
  await done;
});

it('hurries where it would not be done in time', async () => {
  const { draining, streams, moved, pass } = start(400, { seconds: 40, sessionsPerSecond: 1 });
  void draining.stop(); // which looks at a clock of its own, too
  await pass(20_100);
  expect(streams.size).toBe(0);
  await pass(12_000);
  expect([draining.state, moved.length]).toEqual(['done', 199]);
});

it('is cancelled at any moment, and begins anew', async () => {
  const { draining, streams, moved, pass } = start(400);
  const done = draining.start();
  await pass(1000);
  draining.cancel();
  await done;
  const { size } = streams;
  await pass(5000);
  expect([draining.state, streams.size, moved]).toEqual(['off', size, []]);
  void draining.start();
  await pass(12_000);
  expect([draining.state, streams.size, moved.length]).toEqual(['done', 0, 199]);
});

it('waits for others where there are none any more', async () => {
  const { draining, sessions, others, moved, pass } = start(40);
  void draining.start();
  others.alone = true;
  await pass(5000);
  expect([draining.state, sessions.size, moved]).toEqual(['running', 20, []]);
  others.alone = false;
  await pass(1000);
  expect([draining.state, moved.length]).toEqual(['done', 19]);
});

it('closes no stream at a stop of a node that is alone, and leaves what is left to whoever comes next', async () => {
  const { draining, streams, moved } = start(10, { alone: true });
  await draining.stop();
  expect([draining.state, streams.size, moved]).toEqual(['off', 10, []]);
  await draining.leaveRest();
  expect(moved.length).toBe(9);
});
