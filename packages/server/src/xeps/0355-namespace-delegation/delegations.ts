import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { type Iq, stanzaOf } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { ComponentConfiguration } from '../../config/components.ts';
import { managedDomains } from '../../disclosure.ts';

/** The component that answers a request to one of our domains or accounts, if one does (XEP-0355 §4.1). */
export function delegate(
  request: Iq,
  to: Jid,
  components: readonly ComponentConfiguration[],
  ours: readonly string[],
): ComponentConfiguration | undefined {
  const { payload, from } = request;
  if (payload === undefined) return;
  for (const component of components) {
    const { namespaces, domains } = component.delegation;
    if (namespaces.length === 0) continue;
    const named = namespaces.find(({ namespace }) => namespace === payload.ns);
    if (named === undefined || !named.attributes.every((name) => payload.attr(name) !== undefined)) continue;
    if (!managedDomains(domains, component.domain, ours).includes(to.domain)) continue;
    // §4.3.1: what it asks itself the server answers
    return from !== undefined && isOf(component, from.domain) ? undefined : component;
  }
}

/** Whether a domain is a component's own, or one below it that it serves. */
const isOf = ({ domain, subdomains }: ComponentConfiguration, asking: string): boolean =>
  asking === domain || (subdomains && asking.endsWith(`.${domain}`));

/** §4.2: how a component is told. */
export function delegationElement({ delegation: { namespaces } }: ComponentConfiguration): Element {
  const all = namespaces.map(({ namespace, attributes }) => {
    const filters = attributes.map((name) => Element.of('attribute', NS.delegation, { name }));
    return Element.of('delegated', NS.delegation, { namespace }, ...filters);
  });
  return Element.of('delegation', NS.delegation, {}, ...all);
}

/** §4.3: what the component says is answered. Throws a StanzaError where that is no answer to the request. */
export function delegatedResult(request: Iq, answer: Iq): Iq {
  const inside = answer.child('delegation', NS.delegation)?.child('forwarded', NS.forward)?.child('iq', NS.client);
  if (answer.type !== 'result' || inside === undefined) throw new StanzaError('service-unavailable');
  const result = stanzaOf(inside) as Iq;
  const { from, to, id, type } = result;
  const isAnswer =
    type === 'result' &&
    id === request.id &&
    request.from?.equals(to) === true &&
    (from === undefined || from.equals(request.to));
  if (!isAnswer) throw new StanzaError('service-unavailable');
  return request.result(...result.children);
}
