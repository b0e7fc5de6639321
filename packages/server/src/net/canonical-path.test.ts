import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCanonicalPath } from './canonical-path.ts';

describe('a path that can be read in one way', () => {
  it.each([
    '/',
    '/metrics',
    '/health/live',
    '/api/accounts/romeo@montague.lit',
    '/api/accounts/%C3%A9@example',
    '/a.b/~c',
  ])('%s', (path) => expect(isCanonicalPath(path)).toBe(true));

  it('may hold any address where addresses are allowed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (address) => {
        const segment = encodeURIComponent(address);
        const odd = /[\u0000-\u001f\u007f/]/.test(address) || address === '.' || address === '..';
        expect(isCanonicalPath(`/api/${segment}`, true)).toBe(!odd);
      }),
    );
  });
});

describe('a path that can be read in two ways', () => {
  it.each([
    '',
    'metrics',
    '*',
    'http://localhost/metrics',
    '//metrics',
    '/metrics/',
    '/health//live',
    '/health/./live',
    '/health/../metrics',
    '/health/%2e%2e/metrics',
    '/health/%2E%2E/metrics',
    '/setup/setup-s/%u002e%u002e/%u002e%u002e/log.jsp',
    '/setup/setup-s/%2>%2>/log.jsp',
    '/health%2Flive',
    '/health%2flive',
    '/health%5C..%5Cmetrics',
    '/health\\live',
    '/%6Detrics',
    '/metrics%00',
    '/metrics%0A',
    '/%252e%252e/metrics',
    '/metrics%',
    '/metrics%zz',
    '/%C3',
    '/%C0%AE%C0%AE/metrics',
    '/metrics#x',
    '/métrics',
    '/a b',
  ])('%s', (path) => {
    expect(isCanonicalPath(path)).toBe(false);
    if (!/%5C|%25/.test(path)) expect(isCanonicalPath(path, true)).toBe(false);
  });
});
