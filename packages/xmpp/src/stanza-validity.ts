import type { Stanza } from './stanza.ts';
import { StanzaError } from './stanza-error.ts';

const IQ_TYPES = new Set(['get', 'set', 'result', 'error']);
const PRESENCE_TYPES = new Set([
  'unavailable',
  'subscribe',
  'subscribed',
  'unsubscribe',
  'unsubscribed',
  'probe',
  'error',
]);

/** Refuses what cannot be processed whoever it is for: checked once, when a stanza enters. Throws a StanzaError. */
export function checkStanza(stanza: Stanza): void {
  switch (stanza.kind) {
    case 'iq':
      checkIq(stanza);
      break;
    case 'presence':
      // RFC 6121 §4.7.1
      if (stanza.type !== undefined && !PRESENCE_TYPES.has(stanza.type)) bad('No presence has this type.');
      break;
    case 'message': // RFC 6121 §5.2.2: an unknown type counts as "normal"
  }
}

/** RFC 6120 §8.2.3 */
function checkIq(iq: Stanza): void {
  const { type } = iq;
  if (iq.id === undefined) bad('An iq needs an id.');
  if (type === undefined || !IQ_TYPES.has(type)) bad('An iq is of the type get, set, result or error.');
  let elements = 0;
  for (const node of iq.children) if (typeof node !== 'string') elements++;
  if ((type === 'get' || type === 'set') && elements !== 1) bad('A request has exactly one child element.');
  if (type === 'result' && elements > 1) bad('A result has at most one child element.');
}

function bad(text: string): never {
  throw new StanzaError('bad-request', { text });
}
