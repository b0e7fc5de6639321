import type { Jid } from '@parley/xmpp/jid';
import type { Awaitable } from '../pipeline.ts';
import type { RosterStore } from './roster-store.ts';

/**
 * Whether somebody may know that an account is there: its owner, whoever it has let subscribe (RFC 6121 §3.1), and whom
 * a group shows it to.
 */
export function maySeePresence(rosters: RosterStore, account: Jid, asker: Jid): Awaitable<boolean> {
  if (asker.bareText === account.bareText) return true;
  return rosters.isSubscriber(account, asker);
}
