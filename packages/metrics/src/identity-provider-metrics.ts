import { counter, gauge, histogram } from './definition.ts';
import { LATENCY } from './latency.ts';

/** What tells how identity providers are. */
export const identityProviderMetrics = {
  providerCalls: counter({
    name: 'parley.provider.calls',
    unit: '{call}',
    help: 'What identity providers were asked for: their keys, or about a token; and whether they answered, refused, or did not in time.',
    labels: { operation: ['keys', 'introspection'], outcome: ['answered', 'refused', 'late', 'away'] },
  }),
  providerDuration: histogram({
    name: 'parley.provider.duration',
    unit: 's',
    help: 'Time until an identity provider has answered, or nobody waits for it any more.',
    labels: { operation: ['keys', 'introspection'] },
    bounds: LATENCY,
  }),
  providersAway: gauge({
    name: 'parley.provider.away',
    unit: '1',
    help: 'Whether an identity provider does not work (1) or does (0), as one node sees it; of several nodes the most.',
    labels: { provider: 'open' },
    combine: 'max',
  }),
} as const;
