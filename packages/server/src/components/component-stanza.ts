import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { errorElement, isStanza, type Stanza, stanzaOf } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { checkStanza } from '@parley/xmpp/stanza-validity';
import { StreamError } from '@parley/xmpp/stream-error';

export interface ComponentStanzaHost {
  /** Whether it may send from addresses of this domain. */
  mayUse(domain: string): boolean;
  errorFor(stanza: Stanza, error: unknown): Stanza | undefined;
  /** Says something to the component alone. */
  answer(text: string): void;
}

/**
 * The stanza that a component has sent, once it is sure that it may. Undefined where it is none that can go anywhere, which
 * the component is told. Throws a StreamError where it claims to be somebody else (XEP-0114 §3).
 */
export function componentStanza(element: Element, host: ComponentStanzaHost): Stanza | undefined {
  if (!isStanza(element)) throw new StreamError('unsupported-stanza-type');
  const from = element.attr('from');
  if (from === undefined) throw new StreamError('improper-addressing', 'A stanza of a component has a "from".');
  const sender = Jid.tryParse(from);
  if (sender === undefined || !host.mayUse(sender.domain)) {
    throw new StreamError('invalid-from', 'The component does not serve the domain that it sends from.');
  }
  const type = element.attr('type');
  const refuse = (error: StanzaError) => {
    if (type === 'error' || type === 'result') return;
    host.answer(errorElement(element, error).withAttr('to', from).toString(NS.client));
  };
  let stanza: Stanza;
  try {
    stanza = stanzaOf(element);
  } catch (error) {
    if (!(error instanceof StanzaError)) throw error;
    refuse(error);
    return;
  }
  if (stanza.to === undefined) {
    refuse(new StanzaError('bad-request', { text: 'A stanza of a component has a "to".' }));
    return;
  }
  try {
    checkStanza(stanza);
  } catch (error) {
    const answer = host.errorFor(stanza, error);
    if (answer !== undefined) host.answer(answer.toString());
    return;
  }
  return stanza;
}
