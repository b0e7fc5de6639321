import type { Definition } from '@parley/metrics/definition';
import { type SeriesFilter, seriesSum } from '@parley/metrics/series-sum';
import type { Snapshot } from '@parley/metrics/snapshot';
import { counter64, gauge32 } from '../protocol/value.ts';
import { type Column, SYNTAX } from './definition.ts';

type WithMetrics = { readonly metrics: Pick<Snapshot, 'values'> };

interface MetricColumn {
  /** Instead of what the catalogue says. */
  readonly description?: string;
  readonly filter?: SeriesFilter;
}

/** Units in SNMP are whole: a second is told in microseconds, a byte of memory in kibibytes. */
const SCALES: Readonly<Record<string, readonly [units: string, factor: number]>> = {
  s: ['microseconds', 1_000_000],
  By: ['octets', 1],
  d: ['days', 1],
};

const unitsOf = ({ unit }: Definition): readonly [string, number] =>
  SCALES[unit] ?? [unit === '1' ? '' : `${unit.slice(1, -1)}s`, 1];

/** A column that tells a metric of the catalogue, by its help and unit. */
export function metricColumn<Row extends WithMetrics>(
  name: string,
  definition: Definition,
  { description = definition.help, filter }: MetricColumn = {},
): Column<Row> {
  const [units, factor] = unitsOf(definition);
  const number = definition.kind === 'counter' ? counter64 : gauge32;
  return {
    name,
    syntax: definition.kind === 'counter' ? SYNTAX.counter : SYNTAX.gauge,
    description,
    ...(units !== '' && { units }),
    value: ({ metrics }) => number(seriesSum(metrics, definition, filter) * factor),
  };
}

/** The same in units of 1,024 octets, for what may be more than four gigabytes. */
export function kibibytes<Row extends WithMetrics>(
  name: string,
  definition: Definition,
  filter?: SeriesFilter,
  description = definition.help,
): Column<Row> {
  return {
    name,
    syntax: SYNTAX.gauge,
    description,
    units: 'kibibytes',
    value: ({ metrics }) => gauge32(seriesSum(metrics, definition, filter) / 1024),
  };
}
