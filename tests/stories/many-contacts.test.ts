import { RosterStore } from '@parley/server/im/roster-store';
import { defineModule } from '@parley/server/module';
import { modules } from '@parley/server/modules';
import { Jid } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';
import { startServer } from '../support/server.ts';

it('presence of somebody with very many contacts lets others in between', async () => {
  let rosters: RosterStore | undefined; // those of the first node, which is Romeo's
  const spy = defineModule({
    name: 'spy',
    setup: ({ use }) => {
      rosters ??= use(RosterStore);
    },
  });
  const server = await startServer({ modules: [...modules, spy] });
  const romeo = await server.client('romeo@localhost/orchard');
  const item = { subscription: 'from' as const, ask: false, approved: false, name: undefined, groups: [] };
  for (let i = 0; i < 300; i++) {
    await rosters?.change(Jid.parse(romeo.jid).bare, Jid.parse(`friend${i}@localhost`), () => ({ item }));
  }
  await romeo.sync();
  const order: string[] = [];
  setImmediate(() => order.push('others'));
  romeo.send('<presence/><presence><status>again</status></presence>');
  await romeo.take((element) => element.childText('status') === 'again');
  order.push('again');
  expect(order).toEqual(['others', 'again']);
});
