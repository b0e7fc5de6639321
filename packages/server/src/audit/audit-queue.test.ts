import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AuditQueue, type Sink } from './audit-queue.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Takes what it is given when it is told to. */
class SlowSink implements Sink {
  readonly taken: string[] = [];
  closed = false;
  #given: { text: string; done: (error: Error | undefined, bytes: number) => void } | undefined;

  send(lines: readonly Buffer[], done: (error: Error | undefined, bytes: number) => void): void {
    expect(this.#given, 'one at a time').toBeUndefined();
    this.#given = { text: Buffer.concat(lines).toString(), done };
  }

  get given(): string | undefined {
    return this.#given?.text;
  }

  answer(error?: Error, bytes = error ? 0 : (this.given?.length ?? 0)): void {
    const given = this.#given;
    if (given === undefined) throw new Error('Nothing was sent.');
    this.#given = undefined;
    this.taken.push(given.text.slice(0, bytes));
    given.done(error, bytes);
  }

  close(): void {
    this.closed = true;
  }
}

function queueOf(sink: Sink, mostBytes = 1000) {
  const troubles: (string | undefined)[] = [];
  const queue = new AuditQueue({ sink, mostBytes, onTrouble: (error) => void troubles.push(error?.message) });
  return { queue, troubles };
}

const write = (queue: AuditQueue, ...lines: string[]) => {
  for (const line of lines) queue.write(Buffer.from(line));
};

describe('lines', () => {
  it('go out in order, and what came meanwhile with the next', () => {
    const sink = new SlowSink();
    const { queue } = queueOf(sink);
    write(queue, 'a\n', 'b\n', 'c\n');
    expect(sink.given).toBe('a\n');
    sink.answer();
    expect(sink.given).toBe('b\nc\n');
    sink.answer();
    expect([sink.given, queue.waiting, queue.dropped]).toEqual([undefined, 0, 0]);
  });

  it('go on in the middle where only a part was taken', () => {
    const sink = new SlowSink();
    const { queue } = queueOf(sink);
    write(queue, 'first\n', 'second\n', 'third\n');
    sink.answer(undefined, 3);
    expect(sink.given).toBe('st\nsecond\nthird\n');
    sink.answer(new Error('full'), 6);
    expect(queue.waiting).toBe(2);
    vi.advanceTimersByTime(250);
    expect(sink.given).toBe('ond\nthird\n');
    sink.answer();
    expect(sink.taken.join('')).toBe('first\nsecond\nthird\n');
  });

  it('wait within bounds, and are counted where they are dropped', () => {
    const sink = new SlowSink();
    const { queue } = queueOf(sink, 10);
    write(queue, 'four', 'four', 'four', 'xx', 'y');
    expect([queue.waiting, queue.dropped]).toEqual([3, 2]);
    sink.answer();
    write(queue, 'four');
    expect(queue.dropped).toBe(2);
  });
});

describe('a sink that fails', () => {
  it('is tried again with growing pauses, and each change is told once', () => {
    const sink = new SlowSink();
    const { queue, troubles } = queueOf(sink);
    write(queue, 'a');
    for (const pause of [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]) {
      sink.answer(new Error('away'));
      vi.advanceTimersByTime(pause - 1);
      expect(sink.given).toBeUndefined();
      vi.advanceTimersByTime(1);
      expect(sink.given).toBe('a');
    }
    expect(troubles).toEqual(['away']);
    sink.answer();
    expect(troubles).toEqual(['away', undefined]);
    expect(sink.taken.join('')).toBe('a');
  });

  it('is tried at once where it is begun anew', () => {
    const sink = new SlowSink();
    const { queue } = queueOf(sink);
    write(queue, 'a');
    sink.answer(new Error('away'));
    queue.reopen();
    expect(sink.given).toBe('a');
  });

  it('keeps a queue that is closed no longer than it is told to', async () => {
    const sink = new SlowSink();
    const { queue } = queueOf(sink);
    write(queue, 'a', 'b');
    sink.answer(new Error('away'));
    const closed = queue.close(2000);
    await vi.advanceTimersByTimeAsync(2000);
    await closed;
    expect([sink.closed, queue.dropped]).toEqual([true, 2]);
    write(queue, 'c');
    expect(queue.dropped).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('is closed when all is written', async () => {
  const sink = new SlowSink();
  const { queue } = queueOf(sink);
  write(queue, 'a', 'b');
  const closed = queue.close(2000);
  sink.answer();
  expect(sink.closed).toBe(false);
  sink.answer();
  await closed;
  expect([sink.closed, queue.dropped, sink.taken.join('')]).toEqual([true, 0, 'ab']);
});

it('writes what is not under way when the process dies', () => {
  const atOnce: string[] = [];
  const sink = new SlowSink();
  const dying = Object.assign(sink, { sendAtOnce: (lines: readonly Buffer[]) => void atOnce.push(lines.join('')) });
  const { queue } = queueOf(dying);
  write(queue, 'a', 'b', 'c');
  queue.flush();
  expect([sink.given, atOnce]).toEqual(['a', ['bc']]);
});
