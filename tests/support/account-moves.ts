import type { Keyspace } from '@parley/keyspace/keyspace';
import { AccountStore } from '@parley/server/auth/account-store';
import { belongingsOf, MoveStore } from '@parley/server/auth/moves/move-store';
import { AccountMover } from '@parley/server/im/account-mover';
import { AccountMoves } from '@parley/server/im/account-moves';
import { RosterStore } from '@parley/server/im/roster-store';
import { modules } from '@parley/server/modules';
import type { Jid } from '@parley/xmpp/jid';
import type { Stanza } from '@parley/xmpp/stanza';

export const belongings = belongingsOf(modules);

const limits = () => ({ maxItems: 1000, maxRequests: 1000 });

/** Rosters on a keyspace, with nothing kept in memory. */
export const rostersOn = (keyspace: Keyspace) => new RosterStore({ keyspace, isOnline: () => false, limits });

/** Moves accounts on a keyspace without a node; `routed` is what others are told. */
export function movesOn(keyspace: Keyspace, { domains, others = [] }: { domains: string[]; others?: string[] }) {
  const moves = new MoveStore(keyspace, belongings);
  const accounts = new AccountStore(keyspace);
  const routed: string[] = [];
  const errors: string[] = [];
  const nothing = async () => {};
  const mover = new AccountMover({
    keyspace,
    moves,
    accounts,
    rosters: rostersOn(keyspace),
    isLocal: ({ domain }) => domains.includes(domain),
    tell: nothing,
    loggedOut: nothing,
    onContactMoved: nothing,
    route: (stanza: Stanza) => void routed.push(`${stanza.from} ${stanza.type} ${stanza.to}`),
  });
  const exists = async (account: Jid) =>
    others.includes(account.bareText) || (await accounts.find(account)) !== undefined;
  const log = { info() {}, error: (event: string) => void errors.push(event) };
  const all = new AccountMoves({ keyspace, moves, mover, accounts, log, exists });
  return { all, moves, accounts, routed, errors };
}
