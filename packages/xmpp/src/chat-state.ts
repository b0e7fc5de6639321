import type { Node } from './element.ts';
import { NS } from './namespaces.ts';

/** What may stand beside a chat state without saying anything of its own. */
const INSIGNIFICANT = new Set<string>([NS.hints, NS.stanzaId, NS.delay]);

/**
 * Whether a message with these children does nothing but tell a chat state (XEP-0085 §5.1): "composing" and the like.
 * Such a message is worthless once it is late.
 */
export function isOnlyChatState(children: readonly Node[]): boolean {
  let state = false;
  for (const node of children) {
    if (typeof node === 'string') continue;
    if (node.ns === NS.chatStates) state = true;
    else if (!node.is('thread', NS.client) && !INSIGNIFICANT.has(node.ns)) return false;
  }
  return state;
}
