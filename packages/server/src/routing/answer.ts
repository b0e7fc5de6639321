import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { Dropped } from '../pipeline.ts';

/**
 * The one place where what was thrown on a stanza's way becomes its answer; undefined where there may be none: errors
 * and results are never answered (RFC 6120 §8.3.1), nor is presence that only tells a state.
 */
export function errorFor(stanza: Stanza, thrown: unknown, onFault: (error: unknown) => void): Stanza | undefined {
  if (thrown instanceof Dropped) return undefined;
  const error = asStanzaError(thrown, onFault);
  if (stanza.type === 'error' || (stanza.kind === 'iq' && stanza.type === 'result')) return undefined;
  if (stanza.kind === 'presence' && (stanza.type === 'unavailable' || stanza.type === 'probe')) return undefined;
  if (stanza.from === undefined) return undefined;
  return stanza.error(error);
}

function asStanzaError(thrown: unknown, onFault: (error: unknown) => void): StanzaError {
  if (thrown instanceof StanzaError) return thrown;
  if (thrown instanceof KeyspaceError) {
    return new StanzaError('resource-constraint', { type: 'wait', text: 'The server cannot store anything just now.' });
  }
  onFault(thrown);
  return new StanzaError('internal-server-error', { type: 'wait' });
}
