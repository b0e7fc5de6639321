import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { componentHeader, isHandshake } from './component-header.ts';

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex');

it('knows the handshake of whoever has the secret', () => {
  // the example of XEP-0114 §3 gives the identifier alone
  const said = sha1('3BF96D32known to both');
  expect(isHandshake(said, '3BF96D32', 'known to both')).toBe(true);
  expect(isHandshake(` ${said.toUpperCase()}\n`, '3BF96D32', 'known to both')).toBe(true);
  for (const wrong of [
    sha1('3BF96D33known to both'),
    sha1('3BF96D32'),
    said.slice(2),
    `${said}00`,
    '',
    'known to both',
  ]) {
    expect(isHandshake(wrong, '3BF96D32', 'known to both')).toBe(false);
  }
});

it('names the component only where there is one', () => {
  expect(componentHeader('1', '')).not.toContain('from=');
  expect(componentHeader('1', 'a.lit')).toContain(" from='a.lit'");
});
