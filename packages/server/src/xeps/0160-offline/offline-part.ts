import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { isStanza, stanzaOf } from '@parley/xmpp/stanza';
import { standalone } from '@parley/xmpp/stanza-text';
import type { AccountPart, PartHost } from '../../account-part.ts';
import { addImported } from './imported-store.ts';
import { OfflineStore, offlineKeys, offlineSenderKeys, offlineStateKeys, readKept } from './offline-store.ts';

/** XEP-0227 §4.4: the messages that wait for an account, with the time at which each came. */
export const offlinePart: AccountPart = {
  what: 'messages that wait',
  reads: (element) => element.is('offline-messages', NS.portable),

  async *write(account: Jid, { keyspace }: PartHost) {
    const store = new OfflineStore(keyspace);
    let next = 0;
    for (let page = await store.page(account); page.texts.length > 0; page = await store.page(account, next)) {
      if (next === 0) yield `<offline-messages xmlns='${NS.portable}'>`;
      for (const kept of page.texts) yield standalone(readKept(kept).text.toString());
      next = page.first + page.texts.length;
    }
    if (next > 0) yield '</offline-messages>';
  },

  async read(account: Jid, element: Element, { keyspace, config }: PartHost) {
    const problems = new Set<string>();
    const texts: string[] = [];
    for (const child of element.elements) {
      const text = messageText(account, child);
      if (text === undefined) problems.add('Something among the messages that wait is no message that can wait.');
      else texts.push(text);
    }
    const left = await addImported(keyspace, account, texts, config.offline);
    if (left > 0) {
      problems.add(
        `${left} messages are left out: more than offline.maxMessages or offline.maxBytes would wait. Raise these, and import again.`,
      );
    }
    return [...problems];
  },

  async clear({ bareText }: Jid, { keyspace }: PartHost) {
    await keyspace.del(...[offlineKeys, offlineStateKeys, offlineSenderKeys].map((keys) => keys.key(bareText)));
  },
};

/** As it is kept: for the account, whoever of its resources it was for. */
function messageText(account: Jid, element: Element): string | undefined {
  // some write messages without a namespace of their own
  const child = element.ns === NS.portable || element.ns === '' ? asClient(element) : element;
  if (child.name !== 'message' || !isStanza(child)) return undefined;
  const [from, to] = [child.attr('from'), child.attr('to')].map((text) => Jid.tryParse(text ?? ''));
  const type = child.attr('type');
  if (from === undefined || type === 'error' || type === 'groupchat') return undefined;
  const stanza = stanzaOf(child);
  return stanza.withTo(to?.bareText === account.bareText ? to : account).toString();
}

function asClient(element: Element): Element {
  const children = element.children.map((child) =>
    child instanceof Element && child.ns === element.ns ? asClient(child) : child,
  );
  return element.with({ ns: NS.client, children });
}
