import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { message, presence } from '@parley/xmpp/stanza';
import { beforeEach, describe, expect, it } from 'vitest';
import { chat, juliet, NO_LIMITS, startOfflineDelivery } from '../../../../../tests/support/offline-delivery.ts';
import { STORED } from '../../session/origins.ts';
import { RemoteSession } from '../../session/remote-session.ts';
import { originOf } from './offline-delivery.ts';

type Setting = Awaited<ReturnType<typeof startOfflineDelivery>>;
let add: Setting['add'];
let delivery: Setting['delivery'];
let makeSession: Setting['makeSession'];
let output: Setting['output'];
let rerouted: Setting['rerouted'];
let sessions: Setting['sessions'];
let settled: Setting['settled'];
let store: Setting['store'];
let takenBefore: Setting['takenBefore'];
let waiting: Setting['waiting'];

beforeEach(async () => {
  ({ add, delivery, makeSession, output, rerouted, sessions, settled, store, takenBefore, waiting } =
    await startOfflineDelivery());
});

it('removes a page only once the connection has taken it', async () => {
  await add('a', 'b');
  const { session, real } = makeSession('balcony');
  delivery.available(real);
  await session.written();
  expect(session.got).toEqual(['a', 'b']);
  expect(await waiting()).toBe(2);
  session.sent();
  await settled();
  expect(await waiting()).toBe(0);
});

describe('a session of another node', () => {
  /** One that gets messages since then. */
  const elsewhere = (resource: string, receivingSince: number) => {
    const state = {
      boundAt: 1,
      presence: presence({}),
      priority: 0,
      interested: true,
      detached: false,
      resumable: true,
    };
    const jid = juliet.withResource(resource);
    const rest = { jid, sessionId: resource, node: 'b', epoch: 1, carbonsSince: Number.POSITIVE_INFINITY };
    const there = new RemoteSession({ ...state, ...rest, receivingSince }, () => {});
    sessions.putRemote(there);
    return there;
  };

  it('that was there before gets what waits, until it is gone', async () => {
    await add('a');
    const there = elsewhere('balcony', 1);
    const { session, real } = makeSession('chamber');
    (session as { receivingSince?: number }).receivingSince = 2;
    delivery.available(real);
    await settled();
    expect(session.got).toEqual([]);
    sessions.removeRemote(there);
    delivery.goneElsewhere(juliet);
    await session.written();
    session.sent();
    await settled();
    expect([session.got, await waiting()]).toEqual([['a'], 0]);
  });

  it.each([
    ['came later', 3],
    ['came at the same time, and has a greater id', 2],
    ['gets no messages', Number.POSITIVE_INFINITY],
  ])('that %s does not', async (_, since) => {
    await add('a');
    elsewhere('zz', since);
    const { session, real } = makeSession('chamber');
    (session as { receivingSince?: number }).receivingSince = 2;
    delivery.available(real);
    await session.written();
    expect(session.got).toEqual(['a']);
    session.sent();
    await settled();
    delivery.goneElsewhere(juliet);
    delivery.goneElsewhere(Jid.parse('nobody@capulet.lit'));
    await settled();
    expect(session.got).toEqual(['a']);
  });
});

it('lets what comes meanwhile follow in its order', async () => {
  await add('a');
  const { session, real } = makeSession('balcony');
  delivery.available(real);
  session.send(chat('b'));
  await session.written();
  session.send(chat('c'));
  expect(session.got).toEqual(['a']);
  session.sent();
  await settled();
  expect(session.got).toEqual(['a', 'b', 'c']);
  session.send(chat('d'));
  expect(session.got).toEqual(['a', 'b', 'c', 'd']);
});

it('begins with the first message, where that is earlier than the news of presence', async () => {
  await add('a');
  const { session, real } = makeSession('balcony');
  session.send(chat('b'));
  delivery.available(real);
  await session.written();
  session.sent();
  await settled();
  expect(session.got).toEqual(['a', 'b']);
  expect(await waiting()).toBe(0);
});

it('is not for sessions that get no messages to the account', async () => {
  await add('a');
  const { session, real } = makeSession('balcony');
  session.priority = -1;
  session.send(chat('b').withTo(real.jid));
  await settled();
  expect(session.got).toEqual(['b']);
  expect(await waiting()).toBe(1);
});

it('has what comes too late, for a session that gets no messages to the account any more, go behind what is stored', () => {
  const { session, real } = makeSession('balcony');
  session.priority = -1;
  session.send(chat('a'));
  session.send(message({ to: juliet, type: 'headline' }, Element.of('body', NS.client, {}, 'b'))); // is never stored
  session.send(chat('c').withTo(real.jid));
  session.send(chat('d').withOrigin({ sid: '0', k: 1, effect: STORED })); // its node had it before, and read it from there
  expect([session.got, rerouted.map((stanza) => stanza.childText('body'))]).toEqual([['b', 'c', 'd'], ['a']]);
});

it('holds back nothing but messages, for nobody but the session', async () => {
  const { real } = makeSession('balcony');
  const other = makeSession('chamber');
  delivery.available(real);
  delivery.available(other.real);
  expect(delivery.hold(presence({}), real)).toBe(false);
  expect(delivery.hold(chat('x'), other.real)).toBe(false);
});

it('leaves everything where the session ends, to the next one', async () => {
  await add('a', 'b');
  const first = makeSession('balcony');
  delivery.available(first.real);
  await first.session.written();
  const second = makeSession('chamber');
  delivery.available(second.real);
  await settled();
  expect(second.session.got).toEqual([]); // one session at a time
  first.session.end();
  await second.session.written();
  expect(second.session.got).toEqual(['a', 'b']);
  second.session.sent();
  await settled();
  expect(await waiting()).toBe(0);
});

it('goes on in pages', async () => {
  const texts = Array.from({ length: 120 }, (_, i) => String(i));
  await add(...texts);
  const { session, real } = makeSession('balcony');
  delivery.available(real);
  for (const count of [50, 100, 120]) {
    await session.written();
    expect(session.got).toEqual(texts.slice(0, count));
    session.sent();
    await settled();
    expect(await waiting()).toBe(Math.min(50, 120 - count));
  }
});

it('does not write more at once than a connection may have waiting', async () => {
  await add('x'.repeat(100_000), 'y'.repeat(100_000), 'z'.repeat(200_000));
  const { session, real } = makeSession('balcony');
  delivery.available(real);
  for (const count of [1, 2, 3]) {
    await session.written();
    expect(session.got).toHaveLength(count);
    session.sent();
  }
  await settled();
  expect(await waiting()).toBe(0);
});

it('ends a session that does not read while messages come', async () => {
  await add('a');
  const { session, real } = makeSession('balcony');
  delivery.available(real);
  await session.written();
  for (let i = 0; i <= output.maxStanzas; i++) session.send(chat(String(i)));
  expect(session).toMatchObject({ ended: true, limit: 'output-stanzas', got: ['a'] });
  await settled();
  expect(await waiting()).toBe(1);
});

it('stops where the session gets messages no more, and looks again when it does', async () => {
  await add(...Array.from({ length: 60 }, (_, i) => String(i)));
  const { session, real } = makeSession('balcony');
  delivery.available(real);
  await session.written();
  session.priority = -1;
  delivery.available(real);
  session.sent();
  await settled();
  expect(session.got).toHaveLength(50);
  expect(await waiting()).toBe(10);
  session.priority = 1;
  delivery.available(real);
  await session.written();
  expect(session.got).toHaveLength(60);
});

it('goes on where another session of this node would be next, which gets newer messages already', async () => {
  await add(...Array.from({ length: 60 }, (_, i) => String(i)));
  const { session, real } = makeSession('balcony');
  const other = makeSession('chamber');
  (session as { receivingSince?: number }).receivingSince = 1;
  (other.session as { receivingSince?: number }).receivingSince = 2;
  delivery.available(real);
  await session.written();
  session.priority = -1;
  (session as { receivingSince?: number }).receivingSince = Number.POSITIVE_INFINITY;
  delivery.available(real);
  delivery.available(other.real);
  session.sent();
  await session.written();
  session.sent();
  await settled();
  expect([session.got.length, other.session.got, await waiting()]).toEqual([60, [], 0]);
});

it('passes over what some session has had, and the keyspace has lost that', async () => {
  await add('a', 'b');
  const [first = Buffer.alloc(0)] = (await store.page(juliet)).texts;
  takenBefore.push(String(first));
  const { session, real } = makeSession('balcony');
  delivery.available(real);
  await session.written();
  session.sent();
  await settled();
  expect([session.got, await waiting()]).toEqual([['b'], 0]);
});

it('looks again where the session gets messages again before all of them are sent', async () => {
  await add('a');
  const { session, real } = makeSession('balcony');
  delivery.available(real);
  await session.written();
  session.priority = -1;
  delivery.available(real);
  await add('b');
  session.priority = 1;
  delivery.available(real);
  session.sent();
  await session.written();
  expect(session.got).toEqual(['a', 'b']);
});

it('does not look into the store with every presence', async () => {
  const { session, real } = makeSession('balcony');
  delivery.available(real);
  await settled();
  await add('a');
  delivery.available(real);
  await settled();
  expect(session.got).toEqual([]);
});

it('passes over what cannot be read', async () => {
  await store.add(juliet, Buffer.from('<message><stream:x/></message>'), NO_LIMITS);
  await add('a');
  const { session, real } = makeSession('balcony');
  delivery.available(real);
  await session.written();
  expect(session.got).toEqual(['a']);
  session.sent();
  await settled();
  expect(await waiting()).toBe(0);
});

it('leaves all as it is while the keyspace is away, and tries again with the next presence', async () => {
  await add('a');
  const { session, real } = makeSession('balcony');
  const page = store.page.bind(store);
  store.page = () => Promise.reject(new KeyspaceError('away', 'gone'));
  delivery.available(real);
  session.send(chat('b'));
  await settled();
  expect(session.got).toEqual(['b']);
  store.page = page;
  delivery.available(real);
  await session.written();
  expect(session.got).toEqual(['b', 'a']);
});

it('tells stored messages apart however long ago the others came', () => {
  const day = 86_400_000_000; // in microseconds, which the numbers begin with
  const first = Date.UTC(2026, 0, 1) * 1000;
  for (const later of [first + 1, first + 2 ** 31, first + 2 ** 32 - 1, first + day, first + 100 * day]) {
    const [a, b] = [originOf(first), originOf(later)];
    expect(a.sid === b.sid ? b.k - a.k : 1).toBeGreaterThan(0);
    expect(b.sid).toMatch(/^[0-9a-f]{16}$/);
    expect(b.k).toBeLessThan(2 ** 31);
  }
});
