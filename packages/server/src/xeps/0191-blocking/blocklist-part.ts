import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { AccountPart, PartHost } from '../../account-part.ts';
import { BlocklistStore, blocklistKeys } from './blocklist-store.ts';
import { blockedByPrivacyLists } from './privacy-lists.ts';

/** The name that servers with privacy lists give to that of whom a client has blocked. */
const LIST = 'blocked';

/**
 * Whom an account has blocked, as its own server tells it (XEP-0191), and once more as a privacy list (XEP-0227 §4.7), which
 * is what servers of other makes read.
 */
export const blocklistPart: AccountPart = {
  what: 'the blocklist',
  reads: (element) => element.is('blocklist', NS.blocking) || element.is('query', NS.privacy),

  async *write(account: Jid, { keyspace }: PartHost) {
    const jids = [...(await keyspace.hgetall(blocklistKeys.key(account.bareText))).keys()];
    if (jids.length === 0) return;
    const items = jids.map((jid) => Element.of('item', NS.blocking, { jid }));
    yield Element.of('blocklist', NS.blocking, {}, ...items).toString();
    const rules = jids.map((value, order) =>
      Element.of('item', NS.privacy, { type: 'jid', value, action: 'deny', order: order + 1 }),
    );
    const name = Element.of('default', NS.privacy, { name: LIST });
    const list = Element.of('list', NS.privacy, { name: LIST }, ...rules);
    yield Element.of('query', NS.privacy, {}, name, list).toString();
  },

  async read(account: Jid, element: Element, { keyspace, config }: PartHost) {
    const { jids, problems } = element.ns === NS.privacy ? blockedByPrivacyLists(element) : named(element);
    if (jids.size === 0) return problems;
    const most = Number(config.modules.blocking?.maxItems);
    const outcome = await new BlocklistStore(keyspace).block(account, jids, most);
    if (outcome !== 'full') return problems;
    return [
      ...problems,
      `The blocklist is left out: it would have more than ${most} addresses. Raise modules.blocking.maxItems, and import again.`,
    ];
  },

  async clear(account: Jid, { keyspace }: PartHost) {
    await keyspace.del(blocklistKeys.key(account.bareText));
  },
};

function named(blocklist: Element): { jids: Set<string>; problems: string[] } {
  const jids = new Set<string>();
  const problems: string[] = [];
  for (const item of blocklist.elements) {
    if (!item.is('item', NS.blocking)) continue;
    const jid = Jid.tryParse(item.attr('jid') ?? '');
    if (jid === undefined) problems.push('An entry of the blocklist is no address, and is left out.');
    else jids.add(jid.toString());
  }
  return { jids, problems };
}
