import { expect, it, vi } from 'vitest';
import { FormerNames } from './former-names.ts';

it('knows what entries are called now, for a while', async () => {
  const onForgotten = vi.fn();
  const names = new FormerNames(onForgotten, 20);
  names.add('cn=a', 'cn=b');
  names.add('cn=b', 'cn=c');
  expect([names.of('cn=a'), names.of('cn=b'), names.of('cn=c')]).toEqual(['cn=c', 'cn=c', undefined]);
  names.add('cn=c', 'cn=a'); // back again: no circle
  expect([names.of('cn=a'), names.of('cn=b')]).toEqual([undefined, 'cn=a']);
  await expect.poll(() => onForgotten.mock.calls.length).toBe(2);
  expect(names.of('cn=b')).toBeUndefined();
});

it('tells nothing any more once it is closed', async () => {
  const onForgotten = vi.fn();
  const names = new FormerNames(onForgotten, 1);
  names.add('cn=a', 'cn=b');
  names.close();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(onForgotten).not.toHaveBeenCalled();
});
