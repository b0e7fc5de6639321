import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { catalogue } from '@parley/metrics/catalogue';
import type { Definition } from '@parley/metrics/definition';
import { prometheusName } from '@parley/metrics/prometheus';
import { expect, it } from 'vitest';
import { programOf } from '../services/unprivileged.ts';
import { dashboardQueries, fileOf } from './deployed-queries.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

interface RuleTest {
  readonly alertname: string;
  readonly exp_alerts?: readonly object[];
}

// the server's own
const { parse } = createRequire(new URL('../../packages/server/package.json', import.meta.url))('yaml') as {
  parse(text: string): unknown;
};

const rules = (
  parse(readFileSync(fileOf('prometheus/parley.rules.yml'), 'utf8')) as { groups: { rules: Rule[] }[] }
).groups.flatMap((group) => group.rules);

const definitions = new Map<string, Definition>(
  (Object.values(catalogue) as Definition[]).flatMap((definition) => {
    const name = prometheusName(definition);
    const names = definition.kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
    return names.map((each) => [each, definition] as const);
  }),
);

/** What Prometheus itself adds to each series. */
const OF_PROMETHEUS = new Set(['job', 'instance', '__name__']);

const queries: [string, string][] = [
  ...rules.map(({ alert, expr }): [string, string] => [alert, expr]),
  ...dashboardQueries().map(({ title, expr }): [string, string] => [title, expr]),
];

it.each(queries)('%s: its metrics, their labels and the values of these are in the catalogue', (_, expr) => {
  const names = expr.match(/\b(?:parley|xmpp)_[a-z_]+/g) ?? [];
  expect(names.filter((name) => !definitions.has(name))).toEqual([]);
  if (names.length === 0) expect(expr).toContain('up{job="parley"}');
  for (const [, name = '', matchers = ''] of expr.matchAll(/\b((?:parley|xmpp)_[a-z_]+)\{([^}]*)\}/g)) {
    const labels = definitions.get(name)?.labels ?? {};
    for (const [, label = '', value = ''] of matchers.matchAll(/(\w+)(?:=|!=|=~)"([^"]*)"/g)) {
      if (OF_PROMETHEUS.has(label)) continue;
      expect(Object.keys(labels), `${name} has no such label`).toContain(label);
      if (labels[label] !== 'open') expect(labels[label], `${name} ${label}`).toContain(value);
    }
  }
});

it('groups by labels that the metrics have', () => {
  for (const [title, expr] of queries) {
    const labels = new Set(
      (expr.match(/\b(?:parley|xmpp)_[a-z_]+/g) ?? []).flatMap((name) =>
        Object.keys(definitions.get(name)?.labels ?? {}),
      ),
    );
    const by = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
    const known = (label: string) => label === 'le' || OF_PROMETHEUS.has(label) || labels.has(label);
    expect(
      by.filter((label) => !known(label)),
      title,
    ).toEqual([]);
  }
});

it('every alert says how urgent it is, what has happened, and what to do', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const { alert, labels, annotations } of rules) {
    expect(alert).toMatch(/^Parley[A-Za-z]+$/);
    expect(labels.severity).toMatch(/^(page|ticket)$/);
    expect(annotations.summary).toMatch(/\S/);
    expect(annotations.action).toMatch(/\S/);
  }
});

const promtool = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(programOf('prometheus', 'promtool'), args);
  return { status, said: `${stdout}${stderr}` };
};

it('promtool takes the configuration and the rules', () => {
  expect(promtool('check', 'config', fileOf('prometheus/prometheus.yml'))).toMatchObject({ status: 0 });
  expect(promtool('check', 'rules', '--lint-fatal', fileOf('prometheus/parley.rules.yml'))).toMatchObject({
    status: 0,
  });
});

it('each alert fires when it should, and not before', () => {
  const file = fileOf('prometheus/parley.rules.test.yml');
  expect(promtool('test', 'rules', file)).toMatchObject({ status: 0 });
  const { tests } = parse(readFileSync(file, 'utf8')) as { tests: { alert_rule_test: RuleTest[] }[] };
  for (const { alert } of rules) {
    const expected = tests.flatMap((each) => {
      const ofAlert = each.alert_rule_test.filter(({ alertname }) => alertname === alert);
      return ofAlert.length === 0 ? [] : [ofAlert.map(({ exp_alerts = [] }) => exp_alerts.length > 0)];
    });
    // with the same numbers: as long as it is too early, or they are good, and when it is time
    const both = expected.filter((fires) => fires.includes(true) && fires.includes(false));
    expect(both.length, `${alert} is not seen to fire, and not to`).toBeGreaterThan(0);
  }
});
