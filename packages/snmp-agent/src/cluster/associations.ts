import { catalogue } from '@parley/metrics/catalogue';
import { seriesSum } from '@parley/metrics/series-sum';
import type { Snapshot } from '@parley/metrics/snapshot';

// What RFC 2788 calls an association is a stream whose other side has proved who it is.

/** Each proof of a domain counts, as each stream on which one is spoken to does. */
const PROVED = ['certificate', 'dane', 'posh', 'dialback'];

type Metrics = Pick<Snapshot, 'values'>;

/** Those that others have begun. */
export const inboundAssociations = (metrics: Metrics): number =>
  seriesSum(metrics, catalogue.streams, { kind: 'c2s', state: ['authenticated', 'bound'] }) +
  seriesSum(metrics, catalogue.federationStreams, { direction: 'in', state: 'open' }) +
  seriesSum(metrics, catalogue.componentInstances);

export const outboundAssociations = (metrics: Metrics): number =>
  seriesSum(metrics, catalogue.federationStreams, { direction: 'out', state: 'open' });

/** How many there ever were. */
export const accumulatedInbound = (metrics: Metrics): number =>
  seriesSum(metrics, catalogue.logins, { outcome: 'success' }) +
  seriesSum(metrics, catalogue.federationProofs, { direction: 'in', proof: PROVED }) +
  seriesSum(metrics, catalogue.componentHandshakes, { outcome: 'completed' });

export const accumulatedOutbound = (metrics: Metrics): number =>
  seriesSum(metrics, catalogue.federationAttempts, { outcome: 'connected' });
