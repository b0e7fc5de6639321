import { LIMITS } from '@parley/metrics/catalogue';
import { describe, expect, it } from 'vitest';
import { moduleSettings } from '../module.ts';
import { modules } from '../modules.ts';
import { type OptionSchema, optionSchema } from './option-schema.ts';
import { configurationSchema, defaultConfiguration } from './schema.ts';

/** Every option that is no group of others, by its path. */
function leaves(option: OptionSchema, path = ''): [string, OptionSchema][] {
  if (!option.properties) return [[path, option]];
  return Object.entries(option.properties).flatMap(([key, value]) =>
    leaves(value, path === '' ? key : `${path}.${key}`),
  );
}

/** The path of every option and group, in which '' stands for an entry of a list. */
function places(option: OptionSchema, path: readonly string[] = []): string[][] {
  const inside = Object.entries(option.properties ?? {}).flatMap(([key, value]) => places(value, [...path, key]));
  const entries = option.items === undefined ? [] : places(option.items, [...path, '']);
  return [...(path.length === 0 ? [] : [[...path]]), ...inside, ...entries];
}

const settings = moduleSettings(modules);
const options = leaves(optionSchema(settings));

describe('every option', () => {
  it.each(options)('%s has a description', (_, option) => {
    expect(option.description).toMatch(/^.{10,}[.:]$/s);
  });

  it('has a default, or is a file or a secret', () => {
    const without = options.filter(([, option]) => option.default === undefined && !option.path && !option.secret);
    expect(without.map(([path]) => path)).toEqual([]);
  });

  it('says its unit in its name', () => {
    const suffix: Record<string, RegExp> = { s: /[sS]econds$/, ms: /Milliseconds$/, '%': /Percent$/ };
    for (const [path, option] of options) {
      const pattern = suffix[option.unit ?? ''];
      if (pattern) expect(path).toMatch(pattern);
      if (/Bytes$/.test(path)) expect(option.unit).toBe('B');
    }
  });

  it('has a default that its own schema takes', () => {
    const input: Record<string, unknown> = {};
    for (const [path, option] of options) {
      if (option.default === undefined) continue;
      const keys = path.split('.');
      let group = input;
      for (const key of keys.slice(0, -1)) {
        group[key] ??= {};
        group = group[key] as Record<string, unknown>;
      }
      group[keys.at(-1) as string] = option.default;
    }
    expect(configurationSchema(settings).parse(input)).toEqual(defaultConfiguration(settings));
  });

  it('is refused in words with whatever is wrong, beside others that are right', () => {
    const schema = configurationSchema(settings);
    const wrong = [5, 'x', true, [], {}, [5], ['x'], [null], [[]], [{}]];
    for (const path of places(optionSchema(settings))) {
      for (const value of wrong) {
        const beside = { authentication: { mechanisms: ['EXTERNAL'] }, keyspace: { url: 'redis://h' } };
        const within = path.reduceRight<unknown>((inside, key) => (key === '' ? [inside] : { [key]: inside }), value);
        const tree = { ...beside, ...(within as object) };
        expect(() => schema.safeParse(tree), JSON.stringify(tree)).not.toThrow();
      }
    }
  });
});

describe('limits', () => {
  it('have each its own name in the metrics, and no name is left over', () => {
    const named = options.flatMap(([, { metric }]) => (metric === undefined ? [] : [metric]));
    expect(named.toSorted()).toEqual([...LIMITS].toSorted());
  });

  it('cover every option of the sections that limit something', () => {
    const silent = options.filter(([path, { metric }]) => /^(stream|limits)\./.test(path) && metric === undefined);
    expect(silent.map(([path]) => path)).toEqual([
      'limits.connections.trustedNetworks',
      'limits.logins.maxWaitSeconds',
      'limits.logins.windowSeconds',
      'limits.logins.delaySeconds',
      'limits.logins.maxDelaySeconds',
      'limits.resumptions.maxWaitSeconds',
      'limits.bytes.burst',
      'limits.stanzas.burst',
      'limits.components.burst',
    ]);
  });
});
