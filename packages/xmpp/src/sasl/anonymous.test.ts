import { expect, test } from 'vitest';
import { AnonymousExchange } from './anonymous.ts';
import { services } from './testing.ts';

function name(message: Buffer): string {
  const step = new AnonymousExchange(services()).step(message);
  if (step.type !== 'success') throw new Error('no success');
  expect(step.identity.domain).toBe('example.com');
  return step.identity.local;
}

test('everybody gets a name that nobody has', () => {
  const names = new Set(Array.from({ length: 100 }, () => name(Buffer.from('sirhc'))));
  expect(names.size).toBe(100);
  expect(name(Buffer.alloc(0))).toMatch(/^[0-9a-f-]{36}$/);
});

test('a trace that is not UTF-8 is refused', () => {
  expect(() => name(Buffer.from([0xc0]))).toThrow(expect.objectContaining({ condition: 'malformed-request' }));
});
