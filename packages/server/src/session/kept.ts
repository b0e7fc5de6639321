import type { Stanza } from '@parley/xmpp/stanza';
import { STORED } from './origins.ts';

/**
 * Whether a message that no resource may get is one to keep for later (RFC 6121 §8.5.2.2.1 and §8.5.3.2.1): a chat, or
 * a normal one, as every unknown type counts (§5.2.2), that was not meant for one resource only.
 */
export function isKept(stanza: Stanza): boolean {
  if (stanza.kind !== 'message') return false;
  switch (stanza.type) {
    case 'chat':
      return true;
    case 'groupchat':
    case 'headline':
    case 'error':
      return false;
    default:
      return stanza.to?.isBare === true;
  }
}

/**
 * Whether it is for whichever sessions get the account's messages, and not for one alone. What comes out of the storage is:
 * that knows its sender's number, and takes it for a repetition.
 */
export const isForAccount = (stanza: Stanza): boolean =>
  stanza.to?.isBare === true && isKept(stanza) && stanza.origin?.effect !== STORED;
