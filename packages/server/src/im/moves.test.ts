import { Jid } from '@parley/xmpp/jid';
import { expect, it } from 'vitest';
import { startServer } from '../../../../tests/support/server.ts';
import type { AccountChange } from '../auth/authenticator.ts';
import { defineModule } from '../module.ts';
import vcard from '../xeps/0054-vcard/vcard.ts';
import { vcardKeys } from '../xeps/0054-vcard/vcard-store.ts';
import { AccountMoves } from './account-moves.ts';
import moves from './moves.ts';
import roster from './roster.ts';

it('ends a stream that has not bound a resource yet, and forgets what is at hand of either address', async () => {
  const server = await startServer({ modules: [roster, moves] });
  const [old, next] = [Jid.parse('juliet@localhost'), Jid.parse('julia@localhost')];
  const waiting = await server.authenticated('juliet@localhost/balcony');
  expect(await server.accounts.exists(next)).toBe(false);
  for await (const { step } of (server.node.offers.get(AccountMoves) as AccountMoves).move(old, next)) {
    if (step === 'done') break;
  }
  const error = await waiting.take(({ name }) => name === 'error');
  expect(String(error)).toContain('The address of this account is julia@localhost now');
  expect([await server.accounts.exists(old), await server.accounts.refusal(next)]).toEqual([false, undefined]);
  expect(server.log.map(({ event }) => event)).toEqual(expect.arrayContaining(['account.moving', 'account.moved']));
});

it('begins by itself where an address was changed in a directory', async () => {
  const listeners: ((change: AccountChange) => unknown)[] = [];
  const overhear = defineModule({
    name: 'overhear',
    essential: true,
    setup({ accounts }) {
      accounts.onChange = (listener) => void listeners.push(listener);
    },
  });
  const server = await startServer({ modules: [overhear, roster, vcard, moves], nodes: 1 });
  const [old, next] = [Jid.parse('romeo@localhost'), Jid.parse('montague@localhost')];
  const key = (account: Jid) => vcardKeys.key(account.bareText);
  await server.keyspace.set(key(old), '<vCard/>');
  const change = { account: old, change: 'moved', to: next, person: '1' } as const;
  for (const listener of listeners) await listener({ ...change, elsewhere: true });
  expect(await server.keyspace.get(key(next))).toBeUndefined(); // another node does it
  for (const listener of listeners) await listener(change);
  await server.settled();
  expect(String(await server.keyspace.get(key(next)))).toBe('<vCard/>');
});
