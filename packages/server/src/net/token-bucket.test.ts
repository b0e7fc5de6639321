import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Rate, TokenBucket } from './token-bucket.ts';

const rate: Rate = { perSecond: 10, burst: 5 };

describe('TokenBucket', () => {
  it('lets a burst through, and then its rate', () => {
    const bucket = new TokenBucket(rate, 0);
    const waits = [5, 1, 1].map((amount) => bucket.take(amount, rate, 0));
    expect(waits).toEqual([0, 100, 200]);
    expect(bucket.take(1, rate, 300)).toBe(0);
    expect(bucket.take(1, rate, 300)).toBe(100);
  });

  it('never holds more than its burst', () => {
    const bucket = new TokenBucket(rate, 0);
    expect(bucket.take(5, rate, 1_000_000)).toBe(0);
    expect(bucket.take(1, rate, 1_000_000)).toBe(100);
  });

  it('gives nothing for a clock that goes back', () => {
    const bucket = new TokenBucket(rate, 1000);
    bucket.take(5, rate, 1000);
    expect(bucket.take(1, rate, 0)).toBe(100);
    expect(bucket.take(1, rate, 1000)).toBe(200);
  });

  it('takes on a new rate, and has no limit where that is infinite', () => {
    const bucket = new TokenBucket(rate, 0);
    bucket.take(5, rate, 0);
    expect(bucket.take(1, { perSecond: 1, burst: 5 }, 0)).toBe(1000);
    expect(bucket.take(1000, { perSecond: Number.POSITIVE_INFINITY, burst: 1 }, 0)).toBe(0);
  });

  it('never lets more through than rate × time + burst, by any clock, to whoever waits as told', () => {
    const step = fc.record({
      amount: fc.integer({ min: 1, max: 1000 }),
      /** Milliseconds that go by beyond what was told to wait; the clock may go back. */
      passes: fc.oneof(fc.constant(0), fc.double({ min: -5000, max: 5000, noNaN: true })),
    });
    const rates = fc.record({ perSecond: fc.integer({ min: 1, max: 5000 }), burst: fc.integer({ min: 1, max: 5000 }) });
    fc.assert(
      fc.property(
        rates,
        fc.array(step, { maxLength: 50 }),
        fc.double({ min: 0, max: 1e9, noNaN: true }),
        (given, steps, start) => {
          const bucket = new TokenBucket(given, start);
          let now = start;
          let latest = start;
          let taken = 0;
          for (const { amount, passes } of steps) {
            now += passes;
            latest = Math.max(latest, now);
            // What came before this read: the last of it was over the burst at most when the waiting began.
            const allowed = (given.perSecond * (latest - start)) / 1000 + given.burst;
            expect(taken).toBeLessThanOrEqual(allowed + 0.001);
            const wait = bucket.take(amount, given, now);
            taken += amount;
            expect(wait).toBeGreaterThanOrEqual(0);
            now = Math.max(now, latest) + wait;
            latest = now;
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
