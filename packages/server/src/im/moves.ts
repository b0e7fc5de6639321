import { setTimeout as pause } from 'node:timers/promises';
import type { Jid } from '@parley/xmpp/jid';
import { AccountStore } from '../auth/account-store.ts';
import { arrivingKeys, moveKeys, moverKeys, movingKeys } from '../auth/moves/move-keys.ts';
import { belongingsOf, MoveStore } from '../auth/moves/move-store.ts';
import { defineModule, type ModuleContext } from '../module.ts';
import { partitionOf, sessionKeys, waitingIndexKeys } from '../session/resumption/resumption-keys.ts';
import { AccountMover } from './account-mover.ts';
import { AccountMoves } from './account-moves.ts';
import { itemElement, removedItemElement } from './roster-item.ts';
import { RosterPushes } from './roster-pushes.ts';
import { RosterStore } from './roster-store.ts';

/** What another node has left undone is found within this time. */
const LOOK_MS = 10_000;

/** Sessions that are ended are over within this time, or their node is gone. */
const PATIENCE_MS = 3000;
const PAUSE_MS = 20;

/** Accounts that get another address, with everything that is kept of them. */
export default defineModule({
  name: 'account-moves',
  essential: true,
  description: 'Moves accounts to other addresses, with everything that is kept of them.',
  keys: [moveKeys, moverKeys, movingKeys, arrivingKeys],
  moves: [{ keys: arrivingKeys, stays: true }],
  setup(context) {
    const { keyspace, accounts, hooks, log, peers, router } = context;
    const rosters = context.use(RosterStore);
    const pushes = context.use(RosterPushes);
    const moves = new MoveStore(keyspace, belongingsOf(context.modules));
    const store = new AccountStore(keyspace);
    const mover = new AccountMover({
      keyspace,
      moves,
      accounts: store,
      rosters,
      isLocal: context.isLocal,
      async tell(account, change, to) {
        accounts.changedElsewhere?.({ account, change, to });
        await peers.tell('account', JSON.stringify({ account: account.bareText, change, to: to?.bareText }));
      },
      loggedOut: (account) => loggedOut(context, account),
      async onContactMoved(account, from, { item, version }) {
        rosters.forget(account);
        await peers.tell('roster', account.bareText);
        hooks.events.emit('roster.changed', account, from);
        hooks.events.emit('roster.changed', account, item.jid);
        // the version of the first one is known to nobody: who misses the second one gets all
        await pushes.push(account, removedItemElement(from), version - 1);
        await pushes.push(account, itemElement(item), version);
      },
      route: (stanza) => router.route(stanza),
    });
    const all = new AccountMoves({
      keyspace,
      moves,
      mover,
      accounts: store,
      log,
      exists: (account) => accounts.exists(account),
    });
    context.provide(AccountMoves, all);

    const look = () => {
      const looking = all.run().catch((error) => log.debug('account.moves-unseen', { error }));
      hooks.pending.add(looking);
    };
    // its address was changed in a directory: one node alone is told so without `elsewhere`
    accounts.onChange(async ({ account, change, to, person, elsewhere }) => {
      if (change !== 'moved' || to === undefined || elsewhere) return;
      await all.begin(account, to, { directory: true, ...(person !== undefined && { person }) });
      look();
    });
    context.onStart(async () => {
      const timer = setInterval(look, LOOK_MS).unref();
      context.onStop(() => clearInterval(timer));
    });
    context.onStop(() => all[Symbol.dispose]());
  },
});

/** The sessions of an account that were told to end are over, and what their clients did not acknowledge has gone its way. */
async function loggedOut({ keyspace, sessions }: ModuleContext, account: Jid): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  const waits = waitingIndexKeys.key(partitionOf(account));
  const mark = ` ${account.bareText}/`;
  while (performance.now() < until) {
    const recorded = await keyspace.hlen(sessionKeys.key(account.bareText));
    const waiting = (await keyspace.smembers(waits)).filter((member) => member.includes(mark));
    if (sessions.of(account).length === 0 && recorded === 0 && waiting.length === 0) return;
    await pause(PAUSE_MS);
  }
}
