import { expect, it } from 'vitest';
import { spanId, traceId } from './span-ids.ts';

it('makes ids of the right form, each another one', () => {
  const ids = Array.from({ length: 5000 }, () => [traceId(), spanId()] as const);
  for (const [trace, span] of ids) {
    expect(trace).toMatch(/^[0-9a-f]{32}$/);
    expect(span).toMatch(/^[0-9a-f]{16}$/);
  }
  expect(new Set(ids.flat()).size).toBe(10_000);
});
