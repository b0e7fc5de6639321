import { describe, expect, it } from 'vitest';
import { counter32, counter64, gauge32, text, timeTicks } from './value.ts';

describe('values', () => {
  it('begin anew, or stay at their most', () => {
    expect([counter32(2 ** 32 + 5).value, gauge32(2 ** 32 + 5).value, gauge32(-1).value]).toEqual([5, 2 ** 32 - 1, 0]);
    expect(counter64(2 ** 40).value).toEqual(Buffer.from('0000010000000000', 'hex'));
    expect([timeTicks(12_345).value, timeTicks(2 ** 32 * 10 + 70).value]).toEqual([1234, 7]);
  });

  it('are cut between two characters', () => {
    expect(String(text('é'.repeat(200)).value)).toBe('é'.repeat(127));
    expect(String(text('short').value)).toBe('short');
  });
});
