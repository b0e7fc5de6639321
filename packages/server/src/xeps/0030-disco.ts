import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { pageElement, pageOf, parsePageRequest } from '@parley/xmpp/result-set';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { hostOf, type Item } from '../disclosure.ts';
import { maySeePresence } from '../im/presence-permission.ts';
import { RosterStore } from '../im/roster-store.ts';
import type { IqHandler } from '../iq.ts';
import { defineModule, type ModuleContext } from '../module.ts';

/** Items in one page, where pages are asked for. */
const MOST_ITEMS = 100;

/** XEP-0030: what the server and its accounts are, what they can do and what belongs to them. */
export default defineModule({
  name: 'disco',
  description: 'Tells what the server, its services and its accounts can do (XEP-0030).',
  xeps: [
    { number: 30, version: '2.5.0' },
    { number: 128, version: '1.0.1' },
  ],
  features: [NS.discoInfo, NS.discoItems, NS.resultSet],
  accountFeatures: [NS.discoInfo, NS.discoItems, NS.resultSet],
  identities: [{ category: 'server', type: 'im', name: 'Parley' }],
  setup(context) {
    const { disclosure, iq, sessions } = context;
    const rosters = context.use(RosterStore);
    disclosure.accountIdentities.push({ category: 'account', type: 'registered' });

    const domainInfo: IqHandler = (_iq, { to, payload }) => {
      const node = nodeOf(payload);
      const info = node === undefined ? disclosure.domainInfo(to) : infoOfNode(context, to, node);
      return answer(payload, info);
    };
    const domainItems: IqHandler = (_iq, { to, payload }) => {
      if (nodeOf(payload) !== undefined) throw new StanzaError('item-not-found');
      return itemsAnswer(payload, domainItemsOf(context, to));
    };
    const accountInfo: IqHandler = (_iq, { payload }) => {
      if (nodeOf(payload) !== undefined) throw new StanzaError('item-not-found');
      return answer(payload, disclosure.accountInfo());
    };
    const accountItems: IqHandler = (_iq, { to, payload }) => {
      if (nodeOf(payload) !== undefined) throw new StanzaError('item-not-found');
      const available = sessions.of(to).filter((session) => session.available);
      return itemsAnswer(
        payload,
        available.map(({ jid }) => ({ jid: jid.toString() })),
      );
    };

    // §8: an account shows itself to those alone who may see its presence. To all others it looks like one that does
    // not exist, for which RFC 6121 §8.5.1 has the one answer.
    const ifPermitted =
      (handler: IqHandler): IqHandler =>
      async (request, asked) => {
        if (!(await maySeePresence(rosters, asked.to, asked.from))) throw new StanzaError('service-unavailable');
        return handler(request, asked);
      };

    iq.get(NS.discoInfo, 'query', domainInfo, { at: ['domain'], allow: 'anyone' });
    iq.get(NS.discoItems, 'query', domainItems, { at: ['domain'], allow: 'anyone' });
    iq.get(NS.discoInfo, 'query', ifPermitted(accountInfo), { at: ['account'], allow: 'anyone' });
    iq.get(NS.discoItems, 'query', ifPermitted(accountItems), { at: ['account'], allow: 'anyone' });
  },
});

/** §3.2: an empty node is none. */
function nodeOf(query: Element): string | undefined {
  return query.attr('node') || undefined;
}

function infoOfNode({ disclosure }: ModuleContext, domain: Jid, node: string): readonly Element[] {
  for (const find of disclosure.nodes) {
    const info = find(domain, node);
    if (info !== undefined) return info;
  }
  throw new StanzaError('item-not-found');
}

/** §3.2: the answer mirrors the node that was asked for. */
function answer(query: Element, children: readonly Element[]): Element {
  return Element.of('query', query.ns, { node: query.attr('node') }, ...children);
}

function domainItemsOf({ disclosure, domains, router }: ModuleContext, domain: Jid): Item[] {
  const items = new Map<string, Item>();
  for (const service of router.serviceDomains) {
    if (hostOf(service, domains) === domain.domain) items.set(service, { jid: service });
  }
  for (const list of disclosure.items) for (const item of list(domain)) items.set(item.jid, item);
  return [...items.values()];
}

function itemsAnswer(query: Element, items: readonly Item[]): Element {
  const set = query.child('set', NS.resultSet);
  const page = set && pageOf(items, ({ jid }) => jid, parsePageRequest(set), MOST_ITEMS);
  const elements = (page?.items ?? items).map(({ jid, name }) => Element.of('item', NS.discoItems, { jid, name }));
  return answer(query, page === undefined ? elements : [...elements, pageElement(page)]);
}
