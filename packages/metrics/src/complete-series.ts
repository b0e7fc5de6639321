import type { Definition } from './definition.ts';
import { combinations, seriesKey } from './family.ts';
import type { Series } from './snapshot.ts';

/** The series of a metric by key, with the zeros that a snapshot leaves out where the labels are known beforehand. */
export function completeSeries(definition: Definition, series: Record<string, Series> = {}): Map<string, Series> {
  const all = new Map<string, Series>();
  if (definition.combine === 'sum') {
    const zero: Series =
      definition.kind === 'histogram'
        ? { bounds: [...definition.bounds], counts: new Array<number>(definition.bounds.length + 1).fill(0), sum: 0 }
        : 0;
    for (const values of combinations(Object.values(definition.labels))) all.set(seriesKey(values), zero);
  }
  for (const [key, value] of Object.entries(series)) all.set(key, value);
  return all;
}
