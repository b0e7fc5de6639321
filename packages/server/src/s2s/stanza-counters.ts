import type { Counter } from '@parley/metrics/counter';
import type { Metrics } from '@parley/metrics/registry';
import type { StanzaKind } from '@parley/xmpp/stanza';

/** What counts the stanzas of one direction: looked up once, since there is one for each stanza. */
export function stanzaCounters(
  { federationStanzas }: Metrics,
  direction: 'in' | 'out',
): Readonly<Record<StanzaKind, Counter>> {
  const counter = (kind: StanzaKind) => federationStanzas.with({ kind, direction });
  return { message: counter('message'), presence: counter('presence'), iq: counter('iq') };
}
