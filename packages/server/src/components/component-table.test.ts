import { expect, it } from 'vitest';
import type { ComponentConfiguration } from '../config/components.ts';
import { ComponentTable } from './component-table.ts';

const component = (domain: string, subdomains = false): ComponentConfiguration =>
  ({ domain, subdomains }) as ComponentConfiguration;

it('finds who serves a domain: the nearest counts', () => {
  let configured = [component('a.lit', true), component('b.a.lit'), component('c.b.a.lit', true)];
  const table = new ComponentTable(() => configured);
  const serving = (domain: string) => table.serving(domain)?.domain;
  expect(
    ['a.lit', 'x.a.lit', 'y.x.a.lit', 'b.a.lit', 'x.b.a.lit', 'x.c.b.a.lit', 'lit', 'xa.lit'].map(serving),
  ).toEqual(['a.lit', 'a.lit', 'a.lit', 'b.a.lit', undefined, 'c.b.a.lit', undefined, undefined]);
  configured = [component('b.a.lit', true)];
  expect(['a.lit', 'x.b.a.lit'].map(serving)).toEqual([undefined, 'b.a.lit']);
});
