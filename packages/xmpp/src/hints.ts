import { NS } from './namespaces.ts';
import type { Stanza } from './stanza.ts';

/** What the sender of a message asks of those who handle it (XEP-0334 §4). */
export type Hint = 'no-permanent-store' | 'no-store' | 'no-copy' | 'store';

/** Whether a message carries a hint. Those of an error count for nothing (XEP-0334 §5): they are another message's. */
export function hasHint(message: Stanza, hint: Hint): boolean {
  return message.type !== 'error' && message.child(hint, NS.hints) !== undefined;
}
