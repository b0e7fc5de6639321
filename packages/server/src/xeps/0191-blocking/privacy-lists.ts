import type { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';

const OTHER_RULES =
  'A rule of the privacy lists (XEP-0016) does something else than to block an address wholly, and is left out: Parley has blocklists (XEP-0191) alone.';
const OTHER_LISTS = 'A privacy list (XEP-0016) that is not the default one is left out.';

/** Whom the default privacy list of an account blocks from everything, which is what a blocklist can say. */
export function blockedByPrivacyLists(query: Element): { jids: Set<string>; problems: string[] } {
  const name = query.child('default')?.attr('name');
  const jids = new Set<string>();
  const problems = new Set<string>();
  for (const list of query.elements) {
    if (!list.is('list', NS.privacy)) continue;
    if (list.attr('name') !== name) {
      problems.add(OTHER_LISTS);
      continue;
    }
    for (const rule of list.elements.filter((each) => each.is('item', NS.privacy))) {
      const jid = rule.attr('type') === 'jid' ? Jid.tryParse(rule.attr('value') ?? '') : undefined;
      if (jid !== undefined && rule.attr('action') === 'deny' && isWhole(rule)) jids.add(jid.toString());
      else if (!isFallThrough(rule)) problems.add(OTHER_RULES);
    }
  }
  return { jids, problems: [...problems] };
}

/** It is about all kinds of stanzas, named or not. */
function isWhole(rule: Element): boolean {
  const kinds = new Set(rule.elements.map(({ name }) => name));
  return kinds.size === 0 || ['iq', 'message', 'presence-in', 'presence-out'].every((kind) => kinds.has(kind));
}

/** What stands last in many lists: all else is allowed. */
const isFallThrough = (rule: Element): boolean => rule.attr('type') === undefined && rule.attr('action') === 'allow';
