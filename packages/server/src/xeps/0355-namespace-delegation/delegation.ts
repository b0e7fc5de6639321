import { randomUUID } from 'node:crypto';
import { Element } from '@parley/xmpp/element';
import { forwarded } from '@parley/xmpp/forwarded';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { type Iq, message } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { Components } from '../../components/components.ts';
import type { ComponentConfiguration } from '../../config/components.ts';
import { managedDomains } from '../../disclosure.ts';
import { defineModule } from '../../module.ts';
import { delegate, delegatedResult, delegationElement } from './delegations.ts';

/** XEP-0355: components that answer requests in place of the server. */
export default defineModule({
  name: 'delegation',
  essential: true,
  description: 'Lets components that are configured so answer requests in place of the server (XEP-0355).',
  xeps: [
    {
      number: 355,
      version: '0.5',
      partial: true,
      note: 'As the configuration says (§4); users cannot delegate anything (§5), and what the component says of its features is not added to the server’s (§7).',
    },
  ],
  features: [NS.delegation],
  setup({ iq, router, hooks, domains, log, accounts, sessions, use }) {
    const components = use(Components);

    const ask = async (request: Iq, to: Jid, { domain }: ComponentConfiguration): Promise<void> => {
      const payload = Element.of('delegation', NS.delegation, {}, forwarded(request));
      const whose = request.from ?? to;
      try {
        // the server answers for nobody (RFC 6121 §8.5.1), and so does no component
        const somebody = to.local === '' || sessions.of(to).length > 0 || (await accounts.exists(to));
        if (!somebody) throw new StanzaError('service-unavailable');
        const answer = await components.requests.send(domain, {
          type: 'set',
          from: Jid.parse(to.domain),
          whose,
          payload,
        });
        await router.route(delegatedResult(request, answer));
      } catch (error) {
        if (!(error instanceof StanzaError)) log.error('component.fault', { error: error as Error, component: domain });
        // §4.3: whatever goes wrong, this is the error
        await router.route(request.error(new StanzaError('service-unavailable')));
      }
    };

    // §9: nobody waits for the component but whoever asks
    iq.delegate((request, to) => {
      const component = delegate(request, to, components.table.all, domains);
      if (component === undefined) return false;
      hooks.pending.add(ask(request, to, component));
      return true;
    });

    components.onConnected((component, instance) => {
      if (component.delegation.namespaces.length === 0) return;
      for (const domain of managedDomains(component.delegation.domains, component.domain, domains)) {
        const parts = { from: Jid.parse(domain), to: Jid.parse(component.domain), id: randomUUID() };
        void instance.deliver(message(parts, delegationElement(component)));
      }
    });
  },
});
