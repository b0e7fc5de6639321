import type { Metrics } from '@parley/metrics/registry';
import type { Streams } from './streams.ts';

/** Has the numbers of clients' streams taken from those who know them. `bound` says how many have bound a resource. */
export function measureStreams({ streams: gauge }: Metrics, streams: Streams, bound: () => number): void {
  gauge.with({ kind: 'c2s', state: 'negotiating' }).observe(() => streams.unauthenticated);
  gauge
    .with({ kind: 'c2s', state: 'authenticated' })
    .observe(() => Math.max(0, streams.size - streams.unauthenticated - bound()));
  gauge.with({ kind: 'c2s', state: 'bound' }).observe(bound);
  gauge.with({ kind: 'c2s', state: 'closing' }).observe(() => streams.connected - streams.size);
}
