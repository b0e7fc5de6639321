import { expect, test } from 'vitest';
import { inOrder, type Service } from './srv-order.ts';

const service = (name: string, priority: number, weight: number): Service => ({
  name,
  priority,
  weight,
  port: 5269,
  tls: 'starttls',
});

const names = (records: Service[], random?: () => number) => inOrder(records, random).map(({ name }) => name);

test('the lower priority comes first, whichever service it is of', () => {
  const records = [service('c', 20, 0), { ...service('b', 10, 5), tls: 'direct' as const }, service('a', 0, 0)];
  expect(names(records)).toEqual(['a', 'b', 'c']);
});

test('within a priority chance decides, as the weights say', () => {
  const records = [service('heavy', 0, 90), service('light', 0, 10), service('none', 0, 0)];
  expect(names(records, () => 0)).toEqual(['none', 'light', 'heavy']);
  expect(names(records, () => 0.999)).toEqual(['heavy', 'light', 'none']);
  let first = 0;
  for (let n = 0; n < 1000; n++) if (names(records, () => n / 1000)[0] === 'heavy') first++;
  expect(first).toBeGreaterThan(880);
  expect(first).toBeLessThan(920);
});

test('every record comes once, whatever the weights', () => {
  const records = Array.from({ length: 20 }, (_, n) => service(`n${n}`, n % 3, n % 5 === 0 ? 0 : n * 1000));
  expect(new Set(names(records)).size).toBe(20);
});
