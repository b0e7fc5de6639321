import type { Configuration } from './config/schema.ts';
import type { ConnectorSettings } from './s2s/connector.ts';
import { serverSettings } from './s2s/incoming.ts';
import type { Admission } from './s2s/peer-stream.ts';
import type { PeerPolicy } from './s2s/policy.ts';
import type { RemoteRoutingSettings } from './s2s/remote-routing.ts';

/** What servers of other domains offer before they know us has few elements, but more than what clients say. */
const MOST_FEATURE_ELEMENTS = 64;

export function connectorSettings({ federation, stream }: Configuration): ConnectorSettings {
  const { timeouts, limits } = federation;
  const { maxElementBytes, maxElements, maxDepth, maxAttributes } = stream.beforeAuthentication;
  return {
    limits: {
      maxBytes: maxElementBytes,
      maxElements: Math.max(maxElements, MOST_FEATURE_ELEMENTS),
      maxDepth,
      maxAttributes,
      maxNameLength: stream.maxNameBytes,
    },
    connectMs: timeouts.connectSeconds * 1000,
    stepMs: timeouts.stepSeconds * 1000,
    negotiationMs: timeouts.negotiationSeconds * 1000,
    acknowledgeMs: timeouts.acknowledgeSeconds * 1000,
    closeMs: stream.closeTimeoutSeconds * 1000,
    connecting: limits.connecting,
  };
}

/** What may come back on a stream of ours is no more than what may come on one of theirs. */
export function admission(
  config: Configuration,
  { maxStanzaBytes: maxBytes, bytesPerSecond: perSecond }: PeerPolicy,
): Admission {
  const burst = config.federation.limits.bytesBurst;
  return { limits: { ...serverSettings(config).after, maxBytes }, rate: () => ({ perSecond, burst }) };
}

export function routingSettings({ federation }: Configuration): RemoteRoutingSettings {
  const { queue, retry, timeouts, limits } = federation;
  return {
    waitMs: queue.seconds * 1000,
    firstRetryMs: retry.firstSeconds * 1000,
    maxRetryMs: retry.maxSeconds * 1000,
    idleMs: timeouts.idleSeconds * 1000,
    patienceMs: timeouts.acknowledgeSeconds * 1000,
    maxStanzas: queue.maxStanzas,
    maxBytes: queue.maxBytes,
    maxTotalBytes: queue.maxTotalBytes,
    outgoing: limits.outgoing,
  };
}
