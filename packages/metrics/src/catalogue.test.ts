import { describe, expect, it } from 'vitest';
import { catalogue } from './catalogue.ts';
import type { Definition } from './definition.ts';
import { prometheusName } from './prometheus.ts';

const definitions: Definition[] = Object.values(catalogue);

describe.each(definitions.map((definition) => [definition.name, definition] as const))('%s', (name, definition) => {
  it('is named as all others are', () => {
    expect(name).toMatch(/^(xmpp|parley)(\.[a-z]+)+$/);
    expect(definition.help).toMatch(/^[A-Z].*\.$/);
    expect(prometheusName(definition)).toMatch(/^[a-z_]+$/);
    for (const [label, values] of Object.entries(definition.labels)) {
      expect(label).toMatch(/^[a-z]+$/);
      if (values !== 'open') expect(new Set(values).size).toBe(values.length);
    }
  });

  it('adds up as its kind demands', () => {
    if (definition.kind !== 'gauge') expect(definition.combine).toBe('sum');
    expect(definition.bounds).toEqual([...new Set(definition.bounds)].sort((one, other) => one - other));
    expect(definition.bounds.length > 0).toBe(definition.kind === 'histogram');
  });
});

it('has every metric once', () => {
  expect(new Set(definitions.map(({ name }) => name)).size).toBe(definitions.length);
  expect(new Set(definitions.map(prometheusName)).size).toBe(definitions.length);
});
