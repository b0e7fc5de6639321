import type { Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { Log } from '../log.ts';

/** What says that somebody may not do it, rather than that it cannot be done (RFC 6120 §8.3.3). */
const REFUSALS: ReadonlySet<string> = new Set(['forbidden', 'not-allowed', 'not-authorized', 'policy-violation']);

/** Tells the log, and so the audit stream, of a stanza that is answered with such an error. */
export function tellRefusal(log: Log, { kind, from, to }: Stanza, error: unknown): void {
  if (!(error instanceof StanzaError) || !REFUSALS.has(error.condition)) return;
  const { condition, text } = error;
  log.flood('stanza.refused', { from: from?.toString(), subject: to?.toString(), kind, condition, text });
}
