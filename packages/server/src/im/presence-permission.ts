import type { Jid } from '@parley/xmpp/jid';
import type { Awaitable } from '../pipeline.ts';
import type { RosterStore } from './roster-store.ts';

/** Whether somebody may know that an account is there: its owner, and whoever it has let subscribe (RFC 6121 §3.1). */
export function maySeePresence(rosters: RosterStore, account: Jid, asker: Jid): Awaitable<boolean> {
  if (asker.bareText === account.bareText) return true;
  const roster = rosters.get(account);
  return roster instanceof Promise ? roster.then((read) => read.isSubscriber(asker)) : roster.isSubscriber(asker);
}
