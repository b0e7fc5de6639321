import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import { Registry } from '@parley/metrics/registry';
import type { Stanza } from '@parley/xmpp/stanza';
import { expect, it, onTestFinished } from 'vitest';
import { chat, juliet, NO_LIMITS } from '../../../../../tests/support/offline-delivery.ts';
import { Hooks } from '../../hooks.ts';
import { Log } from '../../log.ts';
import type { ModuleContext } from '../../module.ts';
import type { Journal } from '../../session/journal.ts';
import { ResumptionStore } from '../../session/resumption/resumption-store.ts';
import type { Route } from '../../session/session.ts';
import offline from './offline.ts';
import { OfflineStore } from './offline-store.ts';

const balcony = { resource: 'balcony', sid: 'b'.repeat(16), epoch: 1, maxSeconds: 300, receiving: true };
const record = {
  ...balcony,
  carbons: false,
  interested: true,
  inactive: false,
  boundAt: 1,
  directed: [],
  mechanism: '',
};
const route = { jid: juliet.withResource('balcony'), sessionId: balcony.sid, boundAt: 1, available: true, priority: 0 };

/** Juliet's only session is another node's, and known here once it is looked for. */
async function start() {
  const { keyspace } = await openEmbedded(undefined, {});
  onTestFinished(() => keyspace.close());
  const sessionStore = new ResumptionStore({ keyspace, onDamaged: (error) => expect.fail(error.message) });
  const hooks = new Hooks((error) => expect.fail(String(error)));
  let known: readonly Route[] = [];
  const given = Promise.withResolvers<(taken: boolean) => void>();
  const journal: Journal = {
    append: (targets, _, done) => given.resolve((taken) => done(taken ? [] : targets)),
  };
  const limits = { keyspace: { commandTimeoutSeconds: 1 }, offline: { enabled: true, ...NO_LIMITS } };
  const context: Partial<ModuleContext> = {
    hooks,
    keyspace,
    sessionStore,
    journal,
    metrics: new Registry().metrics,
    log: Log.create({ level: 'silent' }),
    config: () => limits as never,
    sessions: { of: () => known, here: () => [] } as never,
    peers: { on() {}, tell: async () => {} } as never,
    otherNodes: {
      told: () => undefined,
      refresh: async () => {
        known = [{ ...route, interested: true, carbons: false }];
      },
    } as never,
    onStop() {},
  };
  await offline.setup(context as ModuleContext);
  const at = { account: juliet, sender: undefined, routes: [], targets: [], since: performance.now() };
  const take = async (stanza: Stanza) => hooks.toAccount.run(stanza, at);
  const end = async () => {
    await sessionStore.end(juliet, 'balcony', balcony.sid, 1);
    known = [];
  };
  await sessionStore.register(juliet, { ...record, presence: undefined });
  return { end, take, given: given.promise, store: new OfflineStore(keyspace) };
}

// what a session leaves behind when it ends is stored, and what it had not taken for good waits for that
it('a message that a session may take holds up none that is to be stored', async () => {
  const { end, take, given, store } = await start();
  const first = take(chat('first'));
  const answer = await given;
  await end();
  expect(await take(chat('second'))).toBe(true);
  answer(true);
  expect(await first).toBe(true);
  const { texts } = await store.page(juliet);
  expect(texts.map(String)).toEqual([expect.stringContaining('second')]);
});

it('a message that a session has not taken is stored after all', async () => {
  const { end, take, given, store } = await start();
  const first = take(chat('first'));
  const answer = await given;
  await end();
  answer(false);
  expect(await first).toBe(true);
  const { texts } = await store.page(juliet);
  expect(texts.map(String)).toEqual([expect.stringContaining('first')]);
});
