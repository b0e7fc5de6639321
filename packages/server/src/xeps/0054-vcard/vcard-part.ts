import type { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { AccountPart, PartHost } from '../../account-part.ts';
import { vcardOfNodes } from './vcard-nodes.ts';
import { VcardStore } from './vcard-store.ts';

/** XEP-0227 §4.6: the vCard of an account. Servers that keep it as PEP nodes write it as such (§4.9). */
export const vcardPart: AccountPart = {
  what: 'the vCard',
  reads: (element) => element.is('vCard', NS.vcard) || element.is('pubsub', NS.pubsub),

  async *write(account: Jid, { keyspace }: PartHost) {
    const vcard = await new VcardStore(keyspace).get(account);
    if (vcard !== undefined) yield vcard.toString();
  },

  async read(account: Jid, element: Element, host: PartHost) {
    if (element.ns === NS.vcard) return add(account, element, host);
    const { vcard, others } = vcardOfNodes(element);
    const problems = vcard === undefined ? [] : await add(account, vcard, host);
    if (others.length === 0) return problems;
    return [...problems, `There is no PEP here yet, so these nodes are left out: ${others.join(', ')}.`];
  },

  clear: (account: Jid, { keyspace }: PartHost) => new VcardStore(keyspace).set(account, ''),
};

async function add(account: Jid, vcard: Element, { keyspace, config }: PartHost): Promise<string[]> {
  const text = vcard.toString();
  const most = Number(config.modules.vcard?.maxBytes);
  if (Buffer.byteLength(text) > most) {
    return [`The vCard is left out: it has more than ${most} bytes. Raise modules.vcard.maxBytes, and import again.`];
  }
  const store = new VcardStore(keyspace);
  if (vcard.children.length > 0 && (await store.get(account)) === undefined) await store.set(account, text);
  return [];
}
