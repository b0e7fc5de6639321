// Stored messages and sessions that outlive their streams (XEP-0198).
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { beforeEach, describe, expect, it } from 'vitest';
import { chat, startOfflineDelivery } from '../../../../../tests/support/offline-delivery.ts';

type Setting = Awaited<ReturnType<typeof startOfflineDelivery>>;
let add: Setting['add'];
let delivery: Setting['delivery'];
let makeSession: Setting['makeSession'];
let rerouted: Setting['rerouted'];
let settled: Setting['settled'];
let store: Setting['store'];
let waiting: Setting['waiting'];

beforeEach(async () => {
  ({ add, delivery, makeSession, rerouted, settled, store, waiting } = await startOfflineDelivery());
});

describe('a session that was restored', () => {
  it('gets what the owner before had not handed to it, before anything else', async () => {
    await add('a');
    const { session, real } = makeSession('balcony');
    delivery.restored(real);
    session.send(chat('b'));
    await session.written();
    session.sent();
    await settled();
    expect([session.got, await waiting()]).toEqual([['a', 'b'], 0]);
  });

  it('gets none where it gets no messages, and lets one that is under way go on', async () => {
    await add('a');
    const away = makeSession('chamber');
    away.session.priority = -1;
    delivery.restored(away.real);
    await settled();
    const first = makeSession('balcony');
    delivery.available(first.real);
    await first.session.written();
    const second = makeSession('orchard');
    delivery.restored(second.real);
    await add('b');
    first.session.sent();
    await first.session.written();
    expect([away.session.got, first.session.got, second.session.got]).toEqual([[], ['a', 'b'], []]);
  });
});

describe('to a session that is resumable', () => {
  const managed = (full = false) => {
    const { session, real } = makeSession('balcony');
    real.management = { resumable: true, full, backlog: { isDeparted: false } } as never;
    return { session, real };
  };

  it('what comes meanwhile is taken when the session has it', async () => {
    await add('a');
    const { session, real } = managed();
    delivery.available(real);
    const held = delivery.hold(chat('b'), real);
    let taken = false;
    void Promise.resolve(held).then(() => {
      taken = true;
    });
    await Promise.resolve();
    expect([held instanceof Promise, taken]).toEqual([true, false]);
    expect(await held).toBe(true);
    expect(session.got).toEqual(['a', 'b']);
  });

  it('no more is handed over than it acknowledges', async () => {
    await add('a');
    const { session, real } = managed(true);
    delivery.available(real);
    await settled();
    expect([session.got, await waiting()]).toEqual([[], 1]);
    session.send(chat('b')); // which waits for nothing
    expect(session.got).toEqual(['b']);
    real.management = { resumable: true, full: false, backlog: { isDeparted: false } } as never;
    delivery.drained(real);
    await settled();
    expect([session.got, await waiting()]).toEqual([['b', 'a'], 0]);
    delivery.drained(real); // it was not waited for
  });

  it('what it has not committed when it ends stays, for the next one', async () => {
    await add('a', 'b');
    const { session, real } = managed();
    const { promise: departed, resolve } = Promise.withResolvers<void>();
    session.send = () => departed as never;
    delivery.available(real);
    await settled();
    session.end();
    const next = makeSession('chamber');
    delivery.available(next.real);
    Object.assign(real.management?.backlog as object, { isDeparted: true });
    resolve();
    await next.session.written();
    expect([next.session.got, await waiting()]).toEqual([['a', 'b'], 2]);
    next.session.sent();
    await settled();
    expect(await waiting()).toBe(0);
  });

  it('what comes waits until the stored messages can be read', async () => {
    await add('a');
    const { session, real } = managed();
    const page = store.page.bind(store);
    let failures = 3;
    store.page = (account) => (failures-- > 0 ? Promise.reject(new KeyspaceError('away', 'gone')) : page(account));
    delivery.available(real);
    await delivery.hold(chat('b'), real);
    expect(session.got).toEqual(['a', 'b']);
  });

  it('what is for the account goes elsewhere where it gets no more of what is stored, what is for it does not', async () => {
    await add('a');
    const { session, real } = managed();
    delivery.available(real);
    const held = [chat('b'), chat('c').withTo(real.jid)].map((stanza) => delivery.hold(stanza, real));
    session.priority = -1;
    await Promise.all(held);
    expect([session.got, rerouted.map((stanza) => stanza.childText('body')), await waiting()]).toEqual([
      ['c'],
      ['b'],
      1,
    ]);
  });
});
