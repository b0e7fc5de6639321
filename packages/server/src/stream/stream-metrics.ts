import type { Metrics } from '@parley/metrics/registry';
import type { Streams } from './streams.ts';

/**
 * Has the numbers of streams taken from those who know them. `bound` says how many have bound a resource; servers bind
 * none.
 */
export function measureStreams(
  { streams: gauge }: Metrics,
  kind: 'c2s' | 's2s',
  streams: Streams,
  bound = () => 0,
): void {
  gauge.with({ kind, state: 'negotiating' }).observe(() => streams.unauthenticated);
  gauge
    .with({ kind, state: 'authenticated' })
    .observe(() => Math.max(0, streams.size - streams.unauthenticated - bound()));
  gauge.with({ kind, state: 'bound' }).observe(bound);
  gauge.with({ kind, state: 'closing' }).observe(() => streams.connected - streams.size);
}
