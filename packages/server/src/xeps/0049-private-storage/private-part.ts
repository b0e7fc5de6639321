import type { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { AccountPart, PartHost } from '../../account-part.ts';
import { PrivateStore, privateKeys } from './private-store.ts';
import { privateTexts } from './private-texts.ts';

/** XEP-0227 §4.5: what clients keep for themselves. */
export const privatePart: AccountPart = {
  what: 'private XML',
  reads: (element) => element.is('query', NS.private),

  async *write(account: Jid, { keyspace }: PartHost) {
    const kept = await keyspace.hgetall(privateKeys.key(account.bareText));
    if (kept.size === 0) return;
    yield `<query xmlns='${NS.private}'>`;
    for (const text of kept.values()) yield text.toString();
    yield '</query>';
  },

  async read(account: Jid, element: Element, { keyspace, config }: PartHost) {
    const kept = await keyspace.hgetall(privateKeys.key(account.bareText));
    const own = element.elements.filter(({ ns }) => ns !== NS.private && ns !== '');
    const problems =
      own.length < element.elements.length ? ['Private XML without a namespace of its own is left out.'] : [];
    const texts = new Map([...privateTexts(own)].filter(([namespace, text]) => text !== '' && !kept.has(namespace)));
    if (texts.size === 0) return problems;
    const options = config.modules['private-storage'];
    const [maxBytes, maxNamespaces] = [Number(options?.maxBytes), Number(options?.maxNamespaces)];
    const set = await new PrivateStore(keyspace).set(account, texts, { maxBytes, maxNamespaces });
    if (set === 'done') return problems;
    return [
      ...problems,
      `Private XML is left out: it would be more than ${maxBytes} bytes or ${maxNamespaces} namespaces. Raise modules.private-storage.maxBytes or maxNamespaces, and import again.`,
    ];
  },

  async clear(account: Jid, { keyspace }: PartHost) {
    await keyspace.del(privateKeys.key(account.bareText));
  },
};
