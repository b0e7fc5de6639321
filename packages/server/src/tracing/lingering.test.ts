import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Lingering } from './lingering.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('has those expire that have waited for ten seconds, and nobody else', () => {
  const lingering = new Lingering();
  const expired: string[] = [];
  const waiting = (name: string) => {
    const each = {
      lingers: -1,
      expire() {
        expired.push(name);
        lingering.delete(each);
      },
    };
    lingering.add(each);
    return each;
  };
  const gone = waiting('gone');
  waiting('first');
  waiting('second');
  vi.advanceTimersByTime(5000);
  const last = waiting('third');
  lingering.delete(gone);
  lingering.delete(gone); // once is enough
  lingering.delete(waiting('gone, too'));
  vi.advanceTimersByTime(5001);
  expect(expired.sort()).toEqual(['first', 'second']);
  expect(last.lingers).toBe(0);
  vi.advanceTimersByTime(6000);
  expect(expired).toContain('third');
  expect(vi.getTimerCount()).toBe(0);
});
