import type { Definition } from '@parley/metrics/definition';
import { type SeriesFilter, seriesOf, seriesSum } from '@parley/metrics/series-sum';
import type { Snapshot } from '@parley/metrics/snapshot';
import type { ClusterState } from '../cluster/cluster-state.ts';
import { textIndex } from '../protocol/oid.ts';
import { counter64, gauge32 } from '../protocol/value.ts';
import { type Column, SYNTAX } from './definition.ts';

/** Longer ones cannot be told: an identifier has no more than 128 numbers. */
const MOST_OCTETS = 100;

/** What all nodes together know of something that has a name. */
export interface NamedRow {
  readonly name: string;
  readonly metrics: Pick<Snapshot, 'values'>;
}

export const nameIndex = (of: string, description: string) => ({
  name: of,
  syntax: { text: `SnmpAdminString (SIZE (1..${MOST_OCTETS}))`, type: 'SnmpAdminString' },
  description,
});

/** A row for each value that a label has in one of these metrics. */
export function* namedRows(
  { cluster: { metrics } }: ClusterState,
  label: string,
  definitions: readonly Definition[],
): Generator<{ index: readonly number[]; row: NamedRow }, void, undefined> {
  const names = new Set<string>();
  for (const definition of definitions) {
    for (const { labels } of seriesOf(metrics, definition)) names.add(labels.get(label) ?? '');
  }
  for (const each of names) {
    if (each === '' || Buffer.byteLength(each) > MOST_OCTETS) continue;
    yield { index: textIndex(each, true), row: { name: each, metrics } };
  }
}

/** A column that tells those series of a metric whose label has the name of the row. */
export function namedColumn(
  name: string,
  definition: Definition,
  label: string,
  units: string,
  { filter = {}, description = definition.help }: { filter?: SeriesFilter; description?: string } = {},
): Column<NamedRow> {
  const [syntax, number] =
    definition.kind === 'counter' ? ([SYNTAX.counter, counter64] as const) : ([SYNTAX.gauge, gauge32] as const);
  return {
    name,
    syntax,
    ...(units !== '' && { units }),
    description,
    value: (row) => number(seriesSum(row.metrics, definition, { ...filter, [label]: row.name })),
  };
}
