import type { Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';

/** The priority of an available presence, 0 where it says none (RFC 6121 §4.7.2.3). Throws a StanzaError. */
export function priorityOf(presence: Stanza): number {
  const text = presence.childText('priority');
  if (text === undefined) return 0;
  const priority = /^\s*[+-]?\d{1,9}\s*$/.test(text) ? Number(text) : Number.NaN;
  if (priority >= -128 && priority <= 127) return priority;
  throw new StanzaError('bad-request', { text: 'A priority is a whole number from -128 to 127.' });
}
