import { RosterStore } from '@parley/server/im/roster-store';
import { defineModule, type Module } from '@parley/server/module';
import { Jid } from '@parley/xmpp/jid';

/** Rosters without their protocol, for tests of what asks who is subscribed to whom. */
export class TestRosters {
  #store: RosterStore | undefined;

  readonly module: Module = defineModule({
    name: 'test-rosters',
    setup: ({ keyspace, provide, sessions }) => {
      const limits = () => ({ maxItems: 100, maxRequests: 100 });
      const isOnline = (account: Jid) => sessions.of(account).length > 0;
      this.#store = new RosterStore({ keyspace, isOnline, limits });
      provide(RosterStore, this.#store);
    },
  });

  /** Lets the contact see the presence of the account. */
  async permit(account: string, contact: string): Promise<void> {
    const item = { subscription: 'from' as const, ask: false, approved: false, name: undefined, groups: [] };
    await this.#store?.change(Jid.parse(account), Jid.parse(contact), () => ({ item }));
  }
}
