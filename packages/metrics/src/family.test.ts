import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Counter } from './counter.ts';
import { counter } from './definition.ts';
import { Family, seriesKey, seriesValues } from './family.ts';

const fixed = counter({
  name: 'test.fixed',
  unit: '{thing}',
  help: 'Things.',
  labels: { kind: ['a', 'b'], direction: ['in', 'out'] },
});
const open = counter({
  name: 'test.open',
  unit: '{thing}',
  help: 'Things.',
  labels: { domain: 'open', kind: ['a', 'b'] },
});

describe('a family with fixed labels', () => {
  it('has every child from the start, and the same one each time', () => {
    const family = new Family(fixed, () => new Counter());
    expect([...family.entries()].map(([key]) => key)).toEqual(['a,in', 'a,out', 'b,in', 'b,out']);
    family.with({ kind: 'b', direction: 'in' }).add(2);
    family.with({ direction: 'in', kind: 'b' }).increment();
    expect([...family.entries()].map(([, child]) => child.value)).toEqual([0, 0, 3, 0]);
  });

  it('refuses a value that the catalogue does not have, and a missing one', () => {
    const family = new Family(fixed, () => new Counter());
    expect(() => family.with({ kind: 'c' as 'a', direction: 'in' })).toThrow('no label kind="c"');
    expect(() => family.with({ kind: 'a' } as never)).toThrow('needs a value of the label direction');
  });
});

describe('a family with an open label', () => {
  it('makes children as they are asked for', () => {
    const family = new Family(open, () => new Counter());
    expect([...family.entries()]).toEqual([]);
    expect(family.with({ domain: 'x', kind: 'a' })).toBe(family.with({ domain: 'x', kind: 'a' }));
    expect(() => family.with({ domain: 'x', kind: 'c' as 'a' })).toThrow('no label kind="c"');
  });

  it('is bounded: what comes too late is counted together', () => {
    const family = new Family(open, () => new Counter());
    for (let i = 0; i < 5000; i++) family.with({ domain: `d${i}`, kind: 'a' }).increment();
    expect([...family.entries()].length).toBe(1001);
    expect(family.with({ domain: 'other', kind: 'a' }).value).toBe(4000);
    expect(family.with({ domain: 'd0', kind: 'a' }).value).toBe(1);
  });
});

it('the key of a series gives back its values, whatever they hold', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (values) => {
      expect(seriesValues(seriesKey(values))).toEqual(values);
    }),
  );
});
