import { expect, it, vi } from 'vitest';
import { EXIT, report } from './exit.ts';

/** What stands on the terminal for an error of the system. */
function told(fields: object): string {
  let said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += text;
    return true;
  });
  expect(report(Object.assign(new Error('listen'), fields))).toBe(EXIT.failed);
  return said;
}

it('says what to do where a port cannot be had', () => {
  expect(told({ code: 'EADDRINUSE', address: '::', port: 5222 })).toMatch(/^Port 5222 on :: is in use: .*`listen`/);
  expect(told({ code: 'ENOTSUP', address: '::', port: 5222 })).toMatch(/^This system .*take `listen.reusePort` out/);
});

it('leaves the words to the system where it knows none of its own', () => {
  expect(told({ code: 'ENOTSUP' })).toBe('listen\n');
  expect(told({ code: 'EIO', path: '/a' })).toBe('listen\n');
});
