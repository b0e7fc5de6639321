import { Element } from '@parley/xmpp/element';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { ConnectionFailure } from './connection-failure.ts';

export const tookTooLong = () => new ConnectionFailure('connection', 'It took too long.', { timeout: true });

/** XEP-0205 §4.5, XEP-0478 */
export function tooLarge(): StanzaError {
  const application = Element.of('stanza-too-big', 'urn:xmpp:errors');
  return new StanzaError('policy-violation', { text: 'It is too large for the other server.', application });
}
