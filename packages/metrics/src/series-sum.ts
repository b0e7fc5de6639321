import type { Definition } from './definition.ts';
import { seriesValues } from './family.ts';
import type { Series, Snapshot } from './snapshot.ts';

/** Which series of a metric: the values of some of its labels. */
export type SeriesFilter = Readonly<Record<string, string | readonly string[]>>;

/** The series of a metric that a filter lets through, each with the values of its labels. */
export function* seriesOf(
  { values }: Pick<Snapshot, 'values'>,
  definition: Definition,
  filter: SeriesFilter = {},
): Generator<{ readonly labels: ReadonlyMap<string, string>; readonly series: Series }, void, undefined> {
  const names = Object.keys(definition.labels);
  for (const [key, series] of Object.entries(values[definition.name] ?? {})) {
    const parts = names.length === 0 ? [] : seriesValues(key);
    const labels = new Map(names.map((name, index) => [name, parts[index] ?? '']));
    const wanted = Object.entries(filter).every(([name, value]) => {
      const found = labels.get(name) ?? '';
      return typeof value === 'string' ? value === found : value.includes(found);
    });
    if (wanted) yield { labels, series };
  }
}

/** Several series of a counter or gauge together, as the catalogue says that they add up; 0 where there is none. */
export function seriesSum(snapshot: Pick<Snapshot, 'values'>, definition: Definition, filter?: SeriesFilter): number {
  const numbers = [...seriesOf(snapshot, definition, filter)].flatMap(({ series }) =>
    typeof series === 'number' ? [series] : [],
  );
  if (numbers.length === 0) return 0;
  if (definition.combine === 'max') return Math.max(...numbers);
  if (definition.combine === 'min') return Math.min(...numbers);
  return numbers.reduce((sum, each) => sum + each, 0);
}
