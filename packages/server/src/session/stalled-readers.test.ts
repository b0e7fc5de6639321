import { expect, it } from 'vitest';
import type { Session } from './session.ts';
import { StalledReaders } from './stalled-readers.ts';

/** A client's connection as the check sees it, and what it was cut for. */
class Connection {
  blocked = true;
  sent = 0;
  buffered = 10;
  ended = false;
  cutFor: string | undefined;
  readonly stream = { transport: this };

  tooSlow(limit: string): void {
    this.cutFor = limit;
    this.ended = true;
  }
}

function setUp() {
  const connection = new Connection();
  const readers = new StalledReaders([connection as unknown as Session]);
  const check = (now: number) => readers.check(now, { stalledMs: 1000, maxBytes: 100 });
  return { connection, check };
}

it('cuts a client that reads nothing for the set time', () => {
  const { connection, check } = setUp();
  for (const now of [5000, 5999]) check(now);
  expect(connection.cutFor).toBeUndefined();
  check(6000);
  expect(connection.cutFor).toBe('output-stalled');
});

it('spares one that reads a little now and then, and one for which nothing waits', () => {
  const { connection, check } = setUp();
  for (let now = 5000; now < 9000; now += 900) {
    connection.sent++;
    check(now);
  }
  connection.blocked = false;
  check(20_000);
  connection.blocked = true;
  check(20_900);
  expect(connection.cutFor).toBeUndefined();
});

it('cuts one for which too much waits, however it was written, though it reads a little', () => {
  const { connection, check } = setUp();
  connection.buffered = 100;
  check(5000);
  expect(connection.cutFor).toBeUndefined();
  connection.buffered = 101;
  connection.sent++;
  check(6000);
  expect(connection.cutFor).toBe('output-bytes');
});
