import { catalogue } from '@parley/metrics/catalogue';
import type { Definition } from '@parley/metrics/definition';
import { prometheusName } from '@parley/metrics/prometheus';

const HEAD = `# Metrics

<!-- Made from packages/metrics/src/catalogue.ts by \`npm run generate\`. Do not edit. -->

Every node counts the following. \`GET /metrics\` on the HTTP port (5280 on the loopback interface by default) shows it
in Prometheus' text format, under the names in the second column. Nothing in it names a user.

Where several nodes are looked at together, counters and histograms add up; the column *nodes* says what gauges do.
A label with the value *open* takes what only the running node knows, such as its domains; after 1000 combinations
further ones are counted together as \`other\`.
`;

const UNITS: ReadonlyMap<string, string> = new Map([
  ['s', 'seconds'],
  ['d', 'days'],
  ['By', 'bytes'],
  ['1', ''],
]);

/** docs/metrics.md */
export function metricsDocument(): string {
  const definitions: Definition[] = Object.values(catalogue);
  return [
    HEAD,
    '| metric | in Prometheus | kind | unit | nodes | meaning |',
    '| --- | --- | --- | --- | --- | --- |',
    ...definitions.map(row),
    '',
    '## Labels',
    ...definitions.flatMap(labels),
    '',
    '## Buckets',
    '',
    ...definitions.flatMap(({ name, bounds }) => (bounds.length === 0 ? [] : [`- \`${name}\`: ${bounds.join(', ')}`])),
    '',
  ].join('\n');
}

function row(definition: Definition): string {
  const { name, kind, unit, combine, help } = definition;
  const words = UNITS.get(unit) ?? unit.slice(1, -1);
  return `| \`${name}\` | \`${prometheusName(definition)}\` | ${kind} | ${words} | ${combine} | ${help} |`;
}

const labels = ({ name, labels: all }: Definition): string[] =>
  Object.keys(all).length === 0
    ? []
    : [
        '',
        `### \`${name}\``,
        '',
        ...Object.entries(all).map(
          ([label, values]) =>
            `- \`${label}\`: ${values === 'open' ? '*open*' : values.map((value) => `\`${value}\``).join(', ')}`,
        ),
      ];
