import type { Jid } from '@parley/xmpp/jid';
import type { AccountRoster } from '../../im/account-roster.ts';
import type { DirectedPresence } from '../../im/directed-presence.ts';
import { Blocklist } from './blocklist.ts';

/**
 * Who has to hear of a change of the list, of all who get the account's presence (XEP-0191 §3.3 and §3.4): contacts, and
 * resources of contacts. `changed` was put on the list or taken off it, `rest` is what is on it either way: whom that
 * blocks notices nothing.
 */
export function contactsConcerned(roster: AccountRoster, changed: readonly Jid[], rest: Blocklist): Jid[] {
  const list = new Blocklist(changed.map(String));
  const contacts = [...roster.subscribers].filter((jid) => list.blocks(jid) && !rest.blocks(jid));
  const resources = changed.filter(
    (jid) => !jid.isBare && roster.isSubscriber(jid) && !rest.blocks(jid) && !list.blocks(jid.bare),
  );
  return [...contacts, ...resources];
}

/** Who else has got presence from one session, and is blocked by `list` alone. */
export function targetsConcerned(
  roster: AccountRoster,
  directed: DirectedPresence | undefined,
  list: Blocklist,
  rest: Blocklist,
): Jid[] {
  return [...(directed ?? [])].filter((jid) => list.blocks(jid) && !rest.blocks(jid) && !roster.isSubscriber(jid));
}
