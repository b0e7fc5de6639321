import type { Keyspace } from '@parley/keyspace/keyspace';
import type { AccountMoveProgress, MoveAccount } from '@parley/server/admin/account-administration';
import { AccountStore } from '@parley/server/auth/account-store';
import type { Authenticator } from '@parley/server/auth/authenticator';
import { belongingsOf, MoveStore } from '@parley/server/auth/moves/move-store';
import { AccountMover } from '@parley/server/im/account-mover';
import { AccountMoves } from '@parley/server/im/account-moves';
import { RosterStore } from '@parley/server/im/roster-store';
import type { Log } from '@parley/server/log';
import { modules } from '@parley/server/modules';
import { someNodeRuns } from './some-node-runs.ts';

/** Moves accounts where no node runs here: by the nodes that run elsewhere on the same keyspace, else without any. */
export function moveAccounts(
  keyspace: Keyspace,
  accounts: Authenticator,
  domains: readonly string[],
  log: Log,
): MoveAccount {
  const none = async () => {};
  const moves = new MoveStore(keyspace, belongingsOf(modules));
  const store = new AccountStore(keyspace);
  const noLimits = { maxItems: Number.POSITIVE_INFINITY, maxRequests: Number.POSITIVE_INFINITY };
  const rosters = new RosterStore({ keyspace, isOnline: () => false, limits: () => noLimits });
  const mover = new AccountMover({
    keyspace,
    moves,
    accounts: store,
    rosters,
    isLocal: ({ domain }) => domains.includes(domain),
    tell: none,
    loggedOut: none,
    onContactMoved: none,
  });
  const exists = accounts.exists.bind(accounts);
  const all = new AccountMoves({ keyspace, moves, mover, accounts: store, log, exists });
  return async function* move(from, to): AsyncGenerator<AccountMoveProgress> {
    const elsewhere = await someNodeRuns(keyspace);
    const record = await all.begin(from, to, elsewhere ? { leave: true } : {});
    yield* all.follow(record, !elsewhere);
  };
}
