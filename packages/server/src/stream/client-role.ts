import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { type Iq, stanzaOf } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { checkStanza } from '@parley/xmpp/stanza-validity';
import { StreamError } from '@parley/xmpp/stream-error';
import { headerError, headerText } from './stream-header.ts';
import type { StreamRole } from './stream-role.ts';

/** Streams of clients: until a resource is bound, they may ask for what the features answer, and nothing else. */
export const clientRole: StreamRole = {
  peer: 'client',
  contentNs: NS.client,

  headerError({ identity, host: { acceptOldVersion } }, header, { contentNs, served }) {
    return headerError(header, contentNs, { served, identity, acceptOldVersion });
  },

  headerText({ id, domain, identity }, from) {
    return headerText(id, domain, identity ?? (from === undefined ? undefined : Jid.tryParse(from)?.bare));
  },

  receive(stream, element) {
    const payload = isRequest(element) ? element.firstChild : undefined;
    const feature = payload === undefined ? undefined : stream.host.features.for(payload.ns);
    // RFC 6120 §4.9.3.12: nothing but negotiation before a resource is bound
    if (feature?.handleIq === undefined) {
      throw new StreamError('not-authorized', 'Authenticate and bind a resource first.');
    }
    let iq: Iq;
    try {
      iq = stanzaOf(element) as Iq;
      checkStanza(iq);
    } catch (error) {
      if (error instanceof StanzaError) throw new StreamError('bad-format', error.message);
      throw error;
    }
    return feature.handleIq(stream, iq);
  },
};

function isRequest(element: Element): boolean {
  const type = element.attr('type');
  return element.name === 'iq' && (type === 'get' || type === 'set');
}
