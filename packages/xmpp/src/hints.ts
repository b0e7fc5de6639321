import { NS } from './namespaces.ts';
import type { Stanza } from './stanza.ts';

/** What a message's sender asks of whoever handles it (XEP-0334 §4). */
export type Hint = 'no-permanent-store' | 'no-store' | 'no-copy' | 'store';

/** Whether a message carries the hint. XEP-0334 §5: an error often repeats another message's hints, which mean nothing. */
export function hasHint(stanza: Stanza, hint: Hint): boolean {
  return stanza.child(hint, NS.hints) !== undefined && stanza.type !== 'error';
}
