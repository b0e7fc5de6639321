import { catalogue } from '@parley/metrics/catalogue';
import type { Definition } from '@parley/metrics/definition';
import { seriesOf } from '@parley/metrics/series-sum';
import type { Snapshot } from '@parley/metrics/snapshot';
import type { ClusterState } from '../cluster/cluster-state.ts';
import { counter64 } from '../protocol/value.ts';
import { enumeration, SYNTAX, type Table } from './definition.ts';
import { everyApplication } from './every-application.ts';

const KINDS = { delivery: 1, resumption: 2, keyspace: 3, directory: 4 } as const;
const TIMED: Record<keyof typeof KINDS, Definition> = {
  delivery: catalogue.deliveryDuration,
  resumption: catalogue.resumptionDuration,
  keyspace: catalogue.keyspaceDuration,
  directory: catalogue.directoryDuration,
};
/** The bucket of everything: the greatest that a manager takes as part of an index. */
const EVERYTHING = 0x7fff_ffff;

/** How many were at or below each bound, in microseconds. */
function cumulated(metrics: Pick<Snapshot, 'values'>, definition: Definition): Map<number, number> {
  const counts = new Array<number>(definition.bounds.length + 1).fill(0);
  for (const { series } of seriesOf(metrics, definition)) {
    if (typeof series === 'number') continue;
    for (const [index, count] of series.counts.entries()) counts[index] = (counts[index] ?? 0) + count;
  }
  let sum = 0;
  return new Map(
    counts.map((count, index) => {
      sum += count;
      const bound = definition.bounds[index];
      return [bound === undefined ? EVERYTHING : Math.round(bound * 1_000_000), sum];
    }),
  );
}

export const latencyTable: Table<ClusterState, { readonly count: number }> = {
  name: 'xmppLatency',
  description:
    'How long things took, as cumulative histograms. The last bound of each is 2147483647: everything is at or below it.',
  index: [
    'xmppNodeIndex',
    {
      name: 'xmppLatencyKind',
      syntax: enumeration(KINDS),
      description:
        'What took so long: to deliver a message, to resume a session, to be answered by Redis, or by a directory.',
    },
    {
      name: 'xmppLatencyUpperBound',
      syntax: { text: 'Unsigned32 (1..2147483647)', type: 'Unsigned32' },
      units: 'microseconds',
      description: 'The bound of the bucket, which belongs to it.',
    },
  ],
  *rows(state) {
    for (const { index, metrics } of everyApplication(state)) {
      for (const [kind, number] of Object.entries(KINDS)) {
        const counts = cumulated(metrics, TIMED[kind as keyof typeof KINDS]);
        for (const [bound, count] of counts) yield { index: [index, number, bound], row: { count } };
      }
    }
  },
  columns: [
    {
      name: 'xmppLatencyCount',
      syntax: SYNTAX.counter,
      units: 'times',
      description: 'How often it took no longer.',
      value: ({ count }) => counter64(count),
    },
  ],
};
