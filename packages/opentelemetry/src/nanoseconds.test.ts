import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nanoseconds, nanosecondsText } from './nanoseconds.ts';

it('loses nothing of a time', () => {
  const times = fc.tuple(fc.integer({ min: 1, max: 4_000_000_000 }), fc.integer({ min: 0, max: 999_999_999 }));
  fc.assert(
    fc.property(times, ([seconds, rest]) => {
      const milliseconds = seconds * 1000 + rest / 1e6;
      // what a number of milliseconds can tell apart
      const exact = BigInt(seconds) * 1_000_000_000n + BigInt(Math.round((milliseconds - seconds * 1000) * 1e6));
      const [high, low] = nanoseconds(milliseconds);
      expect((BigInt(high) << 32n) + BigInt(low)).toBe(exact);
      expect(nanosecondsText(milliseconds)).toBe(String(exact));
      expect(Number.isInteger(low) && low >= 0 && low < 2 ** 32).toBe(true);
    }),
  );
});
