import { expect, it } from 'vitest';
import { Networks } from './networks.ts';

it('has what lies in a network or is named itself', () => {
  const networks = new Networks(() => ['10.0.0.0/8', '192.0.2.1', '2001:db8:a::/48', '2001:db8::1']);
  const has = (...addresses: string[]) => addresses.map((address) => networks.has(address));
  expect(has('10.1.2.3', '192.0.2.1', '::ffff:10.1.2.3', '2001:db8:a:1::1', '2001:db8::1')).not.toContain(false);
  expect(has('11.1.2.3', '192.0.2.2', '::ffff:11.1.2.3', '2001:db8:b::1', '2001:db8::2', '')).not.toContain(true);
});

it('follows its option', () => {
  let option: string[] = [];
  const networks = new Networks(() => option);
  expect(networks.has('192.0.2.1')).toBe(false);
  option = ['192.0.2.0/24'];
  expect(networks.has('192.0.2.1')).toBe(true);
  option = ['198.51.100.0/24'];
  expect(networks.has('192.0.2.1')).toBe(false);
});
