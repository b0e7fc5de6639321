import { catalogue } from './catalogue.ts';
import { completeSeries } from './complete-series.ts';
import type { Definition } from './definition.ts';
import { seriesValues } from './family.ts';
import type { HistogramSeries, Snapshot } from './snapshot.ts';

/** The two forms of the text: Prometheus' own, and the one that OpenMetrics has made of it. */
export const CONTENT_TYPE = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
} as const;
export type TextForm = keyof typeof CONTENT_TYPE;

/** What somebody gets who says this of what they accept: OpenMetrics where they name it. */
export const acceptedForm = (accept = ''): TextForm =>
  /application\/openmetrics-text/i.test(accept) ? 'openmetrics' : 'prometheus';

const UNIT_WORDS: Readonly<Record<string, string>> = { s: '_seconds', d: '_days', By: '_bytes' };

/** The name of a metric as Prometheus wants it: underscores, the unit, `_total` for what only grows. */
export const prometheusName = ({ name, unit, kind }: Definition): string =>
  name.replaceAll('.', '_') + (UNIT_WORDS[unit] ?? '') + (kind === 'counter' ? '_total' : '');

/** A snapshot as text. */
export function prometheusText(snapshot: Pick<Snapshot, 'values'>, form: TextForm = 'prometheus'): string {
  const lines: string[] = [];
  for (const definition of Object.values(catalogue) as Definition[]) {
    const name = prometheusName(definition);
    lines.push(...head(definition, name, form));
    for (const [key, series] of completeSeries(definition, snapshot.values[definition.name])) {
      const labels = labelPairs(definition, key);
      if (typeof series === 'number') lines.push(sample(name, labels, series));
      else pushHistogram(lines, name, labels, series);
    }
  }
  if (form === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

/** OpenMetrics names a family without the `_total` of its samples, and tells its unit. */
function head({ kind, unit, help }: Definition, name: string, form: TextForm): string[] {
  const open = form === 'openmetrics';
  const family = open ? name.replace(/_total$/, '') : name;
  const word = UNIT_WORDS[unit]?.slice(1);
  return [
    `# TYPE ${family} ${kind}`,
    ...(open && word !== undefined ? [`# UNIT ${family} ${word}`] : []),
    `# HELP ${family} ${open ? escapeHelp(help).replaceAll('"', '\\"') : escapeHelp(help)}`,
  ];
}

function labelPairs(definition: Definition, key: string): string[] {
  const names = Object.keys(definition.labels);
  if (names.length === 0) return [];
  const values = seriesValues(key);
  return names.map((name, index) => `${name}="${escapeLabel(values[index] ?? '')}"`);
}

function pushHistogram(lines: string[], name: string, labels: string[], { bounds, counts, sum }: HistogramSeries) {
  let total = 0;
  for (const [index, count] of counts.entries()) {
    total += count;
    const bound = bounds[index] ?? Number.POSITIVE_INFINITY;
    lines.push(sample(`${name}_bucket`, [...labels, `le="${number(bound)}"`], total));
  }
  lines.push(sample(`${name}_sum`, labels, sum), sample(`${name}_count`, labels, total));
}

const sample = (name: string, labels: string[], value: number): string =>
  `${name}${labels.length === 0 ? '' : `{${labels.join(',')}}`} ${number(value)}`;

const number = (value: number): string =>
  Number.isNaN(value) ? 'NaN' : Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');
