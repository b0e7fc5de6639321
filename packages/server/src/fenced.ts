import type { Metrics } from '@parley/metrics/registry';
import type { Log } from './log.ts';
import type { Sessions } from './session/sessions.ts';
import type { Streams } from './stream/streams.ts';

/** Other nodes have given this one up: what it had is theirs, and ends here without a word. */
export function letGo(sessions: Sessions, streams: Streams, metrics: Metrics, log: Log): void {
  metrics.clusterFenced.add(1);
  log.error('node.fenced', {
    message: 'Other nodes gave this one up since it was silent for too long. It lets go of everything and starts anew.',
  });
  for (const session of [...sessions.all]) session.moved('the node was given up by others');
  for (const stream of [...streams]) stream.cut('the node was given up by others');
}
