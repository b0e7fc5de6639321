import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { LiveHeap } from './live-heap.ts';

const fill = (megabytes: number) => Array.from({ length: megabytes }, () => new Array<number>(131_072).fill(0.5));

it('counts what is alive, and no garbage', () => {
  using heap = new LiveHeap();
  heap.collect();
  const before = heap.percent;
  let ballast: number[][] | undefined = fill(64);
  heap.collect();
  const full = heap.percent;
  expect(full).toBeGreaterThan(before);
  expect(ballast).toHaveLength(64);
  ballast = undefined;
  expect(heap.percent).toBe(full); // nobody has looked
  heap.collect();
  expect(heap.percent).toBeLessThan(full);
});

it('sees collections that come by themselves', async () => {
  const heap = new LiveHeap();
  onTestFinished(() => heap[Symbol.dispose]());
  const before = heap.percent;
  const all: number[][][] = [];
  while (heap.percent === before) {
    all.push(fill(4));
    if (all.length > 20) all.length = 0;
    await nextTurn();
  }
  expect(heap.age).toBeLessThan(60_000);
});
