import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, it } from 'vitest';
import { startServer } from '../../../../tests/support/server.ts';
import { defineModule } from '../module.ts';
import { PresenceBroadcast } from './presence-broadcast.ts';
import roster from './roster.ts';
import { RosterPushes } from './roster-pushes.ts';
import { RosterStore } from './roster-store.ts';

async function start() {
  let store: RosterStore | undefined;
  const user = defineModule({
    name: 'user',
    setup(context) {
      store = context.use(RosterStore);
      context.use(RosterPushes);
      context.use(PresenceBroadcast);
    },
  });
  const server = await startServer({ modules: [roster, user] });
  return { server, store: store as unknown as RosterStore };
}

describe('the roster module', () => {
  it('offers its parts to others', async () => {
    expect((await start()).store).toBeInstanceOf(RosterStore);
  });

  it('keeps a roster decoded for as long as a session is here', async () => {
    const { server, store } = await start();
    const juliet = Jid.parse('juliet@localhost');
    const query = `<query xmlns='${NS.roster}'/>`;
    const balcony = await server.client('juliet@localhost/balcony');
    const chamber = await server.client('juliet@localhost/chamber');
    await balcony.request('get', query);
    await balcony.close();
    expect(store.get(juliet)).not.toBeInstanceOf(Promise);
    await chamber.close();
    expect(store.get(juliet)).toBeInstanceOf(Promise);
  });

  it('leaves nothing of an account that is removed', async () => {
    const { server, store } = await start();
    const juliet = Jid.parse('juliet@localhost');
    const nurse = Jid.parse('nurse@localhost');
    const item = { subscription: 'none' as const, ask: false, approved: true, name: 'Nurse', groups: [] };
    await server.account('juliet@localhost');
    await store.change(juliet, nurse, () => ({ item, request: '<presence/>' }));
    await server.accounts.remove?.(juliet);
    expect([(await store.get(juliet)).size, (await store.requests(juliet)).size]).toEqual([0, 0]);
  });
});
