import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { logEvents } from './catalogue.ts';
import { fieldNames } from './field-names.ts';
import type { LogEvent } from './log-event.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const sources = globSync('packages/*/src/**/*.ts', { cwd: root })
  .filter((file) => !/\.test\.ts$|testing/.test(file))
  .map((file) => readFileSync(join(root, file), 'utf8'));

/** Every place that logs: its level and its event. Another event than those declared does not compile. */
const logged = new Set(
  sources.flatMap((text) =>
    [...text.matchAll(/\.(trace|debug|info|warn|error|fatal|flood)\(\s*'([a-z0-9.-]+\.[a-z0-9.-]+)'/g)].map(
      ([, level, event]) => `${event} at ${level}`,
    ),
  ),
);

const events: [string, LogEvent][] = Object.entries(logEvents);

it('has every event that is logged, at its level, and none that nobody logs', () => {
  const declared = events.flatMap(([name, { levels }]) => levels.map((level) => `${name} at ${level}`));
  expect([...logged].sort()).toEqual(declared.sort());
});

it('knows no field that no event has', () => {
  const used = new Set(['omitted', ...events.flatMap(([, { fields }]) => fields)]);
  expect([...used].sort()).toEqual(Object.keys(fieldNames).sort());
});

describe.each(events)('%s', (name, { fields, means, todo, levels }) => {
  it('is declared as all others are', () => {
    expect(name).toMatch(/^[a-z0-9]+(\.[a-z0-9-]+)+$/);
    expect(means).toMatch(/^[A-Z].*\.$/s);
    expect(todo).toMatch(/^$|^[A-Z`[].*\.$/s);
    expect(new Set(fields).size).toBe(fields.length);
  });

  it('says what to do where something is wrong', () => {
    if (levels.some((level) => level === 'error' || level === 'fatal')) expect(todo).not.toBe('');
  });
});
