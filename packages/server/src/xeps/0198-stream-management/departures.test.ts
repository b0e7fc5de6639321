import { setImmediate as nextTurn } from 'node:timers/promises';
import { openKeyspace } from '@parley/keyspace/open';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { message, presence, type Stanza } from '@parley/xmpp/stanza';
import { expect, it, onTestFinished, vi } from 'vitest';
import { JULIET, type ManagedOptions, ManagedSession, turns } from '../../../../../tests/support/managed-session.ts';
import { UnreliableKeyspace } from '../../../../../tests/support/unreliable-keyspace.ts';
import type { Router } from '../../routing/router.ts';
import { COPY, STORED, UNORDERED } from '../../session/origins.ts';
import { ResumptionStore } from '../../session/resumption/resumption-store.ts';
import { Sent } from '../../session/sent.ts';
import { recordOf } from '../../session/session-record.ts';
import { Departures } from './departures.ts';

async function start(options: Omit<ManagedOptions, 'store'> = {}) {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  const unreliable = new UnreliableKeyspace(keyspace);
  const store = new ResumptionStore({
    keyspace: unreliable.keyspace,
    onDamaged: (error) => expect.fail(error.message),
  });
  const routed: Stanza[] = [];
  const had = new Set<string>();
  const over: string[] = [];
  const unreadable: unknown[] = [];
  const host = {
    onRoute: (_: Stanza): void | Promise<void> => {},
    store,
    router: {
      route(stanza: Stanza) {
        routed.push(stanza);
        return host.onRoute(stanza);
      },
    } as unknown as Router,
    isHadByOthers: (stanza: Stanza) => had.has(stanza.id ?? ''),
    again: () => nextTurn(),
    onOver: ({ sessionId }: { sessionId: string }) => void over.push(sessionId),
    onUnreadable: (error: unknown) => void unreadable.push(error),
  };
  const departures = new Departures(host);
  const juliet = await new ManagedSession({ store, ...options }).open();
  return { juliet, departures, store, unreliable, routed, had, over, unreadable, host };
}

const ids = (stanzas: readonly Stanza[]) => stanzas.map(({ id }) => id);

it('hands on what was not acknowledged, in order, once, and says since when it waits', async () => {
  const { juliet, departures, store, routed } = await start();
  for (const id of ['1', '2', '3']) await juliet.say(id, Number(id));
  juliet.management.acknowledge(1);
  juliet.session.finish('over');
  await departures.of(juliet.session);
  expect(ids(routed)).toEqual(['2', '3']);
  for (const stanza of routed) {
    expect(stanza.child('delay', NS.delay)?.attr('from')).toBe('capulet.lit');
    expect(stanza.origin?.effect).toBe(UNORDERED); // nothing that its sender has numbered
  }
  expect(await juliet.journal()).toBeUndefined();
  await departures.finish(() => true); // nothing waits
  expect(routed).toHaveLength(2);
  expect(await store.lastHandled(JULIET.bare, juliet.session.sessionId)).toBe(0);
});

it('a session without stream management leaves nothing', async () => {
  const { juliet, departures, routed } = await start();
  juliet.session.management = undefined;
  await departures.of(juliet.session);
  expect(routed).toEqual([]);
});

it('one that cannot be resumed leaves the same, and touches no keyspace', async () => {
  const { juliet, departures, unreliable, routed } = await start({ maxSeconds: 0 });
  unreliable.fate = () => expect.fail('a write');
  await juliet.say('1');
  juliet.session.send(presence({ from: JULIET, id: 'p' }));
  await juliet.say('2');
  juliet.session.finish('over');
  await departures.of(juliet.session);
  expect(ids(routed)).toEqual(['1', '2']);
});

it('what others have is not handed on', async () => {
  const { juliet, departures, routed, had } = await start();
  had.add('1');
  for (const id of ['1', '2']) await juliet.say(id);
  juliet.session.finish('over');
  await departures.of(juliet.session);
  expect(ids(routed)).toEqual(['2']);
});

it('routes what its own node has moved out of its journal, since its record was replaced, once', async () => {
  const { juliet, departures, store, routed } = await start();
  for (const id of ['1', '2']) await juliet.say(id);
  const { sessionId } = juliet.session;
  const end = () => store.end(JULIET.bare, JULIET.resource, sessionId, juliet.management.epoch);
  expect(await end()).toHaveLength(2);
  const { promise, resolve } = Promise.withResolvers<void>();
  juliet.management.settled = () => promise;
  juliet.session.finish('over');
  const departure = departures.of(juliet.session);
  await departures.finish(() => false); // the session is ending
  expect(routed).toEqual([]);
  resolve();
  await departure;
  expect(ids(routed)).toEqual(['1', '2']);
  expect([await store.waiting(JULIET.bare, sessionId), await end()]).toEqual([[], undefined]);
});

it('is one departure, although the session is taken away while it ends', async () => {
  const { juliet, departures, store, routed, host } = await start();
  for (const id of ['1', '2']) await juliet.say(id);
  const { promise, resolve } = Promise.withResolvers<void>();
  host.onRoute = () => promise;
  juliet.session.finish('over');
  const departure = departures.of(juliet.session);
  await expect.poll(() => ids(routed)).toEqual(['1']);
  const another = departures.ofFenced(juliet.session);
  await turns();
  expect(await store.waiting(JULIET.bare, juliet.session.sessionId)).toHaveLength(2); // were this node killed now
  resolve();
  await Promise.all([departure, another]);
  expect([ids(routed), await store.waiting(JULIET.bare, juliet.session.sessionId)]).toEqual([['1', '2'], []]);
});

it('who sent what could not be committed any more waits until that is routed', async () => {
  const { promise: again, resolve } = Promise.withResolvers<void>();
  const { juliet, departures, store, routed, unreliable, host } = await start({ again: () => again });
  await juliet.say('1');
  unreliable.fate = () => 'lost';
  let taken = false;
  let copied = false;
  const said = juliet.say('2', 7).then(() => {
    taken = true;
  });
  const from = { to: JULIET, from: JULIET.bare, id: 'copy', type: 'chat' };
  const copy = message(from, Element.of('received', NS.carbons)).withOrigin({
    sid: 'f'.repeat(16),
    k: 8,
    effect: COPY,
  });
  const copying = Promise.resolve(juliet.session.send(copy)).then(() => {
    copied = true;
  });
  await turns();
  juliet.session.finish('over');
  const departure = departures.of(juliet.session);
  unreliable.fate = () => 'done';
  await store.register(JULIET.bare, { ...recordOf(juliet.session, 0, 0), sid: 'b'.repeat(16) }); // and takes its place
  const { promise: on, resolve: goOn } = Promise.withResolvers<void>();
  host.onRoute = () => on;
  resolve();
  await expect.poll(() => ids(routed)).toEqual(['1']);
  await turns();
  expect([taken, copied]).toEqual([false, true]); // what goes nowhere is not waited for
  goOn();
  await Promise.all([said, copying, departure]);
  expect(routed.map(({ id, origin }) => [id, origin?.effect, origin?.k])).toEqual([
    ['1', UNORDERED, expect.any(Number)],
    ['2', 0, 7],
  ]);
});

it('what came out of a storage goes elsewhere only where it was committed: it is there still', async () => {
  const { promise: again, resolve } = Promise.withResolvers<void>();
  const { juliet, departures, store, routed, unreliable } = await start({ again: () => again });
  const stored = (id: string, k: number) =>
    juliet.session.send(
      message({ to: JULIET, id, type: 'chat' }).withOrigin({ sid: 'a'.repeat(16), k, effect: STORED }),
    );
  await stored('1', 1);
  unreliable.fate = () => 'lost';
  const later = stored('2', 2);
  await turns();
  juliet.session.finish('over');
  const departure = departures.of(juliet.session);
  unreliable.fate = () => 'done';
  await store.register(JULIET.bare, { ...recordOf(juliet.session, 0, 0), sid: 'b'.repeat(16) });
  expect(juliet.management.backlog.isDeparted).toBe(false);
  resolve();
  await Promise.all([later, departure]);
  expect([ids(routed), juliet.management.backlog.isDeparted]).toEqual([['1'], true]);
});

it('what could not be committed to a session that was taken away is for whoever sent it', async () => {
  const { promise: again, resolve } = Promise.withResolvers<void>();
  const { juliet, departures, store, routed, unreliable, over } = await start({ again: () => again });
  await juliet.say('1');
  unreliable.fate = () => 'lost';
  const said = juliet.say('2', 7);
  await turns();
  unreliable.fate = () => 'done';
  await store.register(JULIET.bare, { ...recordOf(juliet.session, 0, 0), sid: 'b'.repeat(16) });
  juliet.session.moved('taken');
  resolve();
  await said;
  await departures.ofFenced(juliet.session);
  expect([ids(routed), over]).toEqual([['1'], [juliet.session.sessionId]]); // others are told that nobody has it
});

it('routes nothing that is routed already, since it was moved before the session ended', async () => {
  const { juliet, departures, store, routed, host } = await start();
  for (const id of ['1', '2']) await juliet.say(id);
  const { sessionId } = juliet.session;
  await store.end(JULIET.bare, JULIET.resource, sessionId, juliet.management.epoch);
  const { promise, resolve } = Promise.withResolvers<void>();
  host.onRoute = () => promise;
  const finished = departures.finish(() => false);
  await expect.poll(() => ids(routed)).toEqual(['1']);
  juliet.session.finish('over');
  const departure = departures.of(juliet.session);
  await turns();
  resolve();
  await Promise.all([finished, departure]);
  expect([ids(routed), await departures.isOver(sessionId)]).toEqual([['1', '2'], true]);
});

it('leaves what another node has moved out of its journal to that one', async () => {
  const { juliet, departures, routed, unreliable, host } = await start();
  await juliet.say('1');
  const { sessionId } = juliet.session;
  const other = new ResumptionStore({
    keyspace: unreliable.keyspace,
    onDamaged: (error) => expect.fail(error.message),
  });
  unreliable.fate = () => 'lost'; // which nobody knows
  host.again = async () => {
    unreliable.fate = () => 'done';
    await other.end(JULIET.bare, JULIET.resource, sessionId, juliet.management.epoch);
  };
  juliet.session.finish('over');
  await departures.of(juliet.session);
  expect([routed, await other.waiting(JULIET.bare, sessionId)]).toMatchObject([[], [{ out: 1 }]]);
});

it('waits for what the session had begun, so that it counts', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { juliet, departures, store } = await start({ process: () => promise });
  const done = juliet.session.receive(Element.of('message', NS.client));
  juliet.session.finish('over');
  let left = false;
  const departure = departures.of(juliet.session).then(() => {
    left = true;
  });
  const known = departures.done(juliet.session.sessionId);
  await turns();
  expect(left).toBe(false);
  resolve();
  await done;
  await known;
  expect(left).toBe(true);
  await departure;
  expect(await store.lastHandled(JULIET.bare, juliet.session.sessionId)).toBe(1);
  await departures.done(juliet.session.sessionId); // it knows of none any more
});

it('does not wait for ever for a stanza of its own, which may wait for another session that ends', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { juliet, departures, store } = await start({ process: () => new Promise(() => {}) });
  void juliet.session.receive(Element.of('message', NS.client));
  juliet.session.finish('over');
  const departure = departures.of(juliet.session);
  await turns();
  expect(await store.lastHandled(JULIET.bare, juliet.session.sessionId)).toBeUndefined();
  vi.advanceTimersByTime(15_000);
  await departure;
  expect(await store.lastHandled(JULIET.bare, juliet.session.sessionId)).toBe(0);
});

it('waits for it as long as the keyspace is away, so that it counts when that is back', async () => {
  const stanza = Promise.withResolvers<void>();
  const waits: string[] = [];
  const upFor = (milliseconds: number) => {
    waits.push(`began ${milliseconds}`);
    return () => void waits.push('ended');
  };
  const { juliet, departures, store } = await start({ process: () => stanza.promise, upFor });
  void juliet.session.receive(Element.of('message', NS.client));
  juliet.session.finish('over');
  const departure = departures.of(juliet.session);
  await turns();
  expect(waits).toEqual(['began 15000']);
  stanza.resolve();
  await departure;
  expect(await store.lastHandled(JULIET.bare, juliet.session.sessionId)).toBe(1);
  expect(waits).toEqual(['began 15000', 'ended']);
});

it('goes on when the keyspace is back', async () => {
  const { juliet, departures, unreliable, routed } = await start();
  for (const id of ['1', '2']) await juliet.say(id);
  const taken = juliet.say('3');
  let down = true;
  let count = 0;
  unreliable.fate = () =>
    down ? 'refused' : ((['done', 'unanswered', 'lost', 'unanswered'] as const)[count++ % 4] ?? 'done');
  juliet.session.finish('over');
  const departure = departures.of(juliet.session);
  await turns(30);
  expect(routed).toEqual([]);
  down = false;
  await Promise.all([departure, taken]);
  expect(ids(routed)).toEqual(['1', '2', '3']);
  unreliable.fate = () => 'done';
  await departures.finish(() => true);
  expect(routed).toHaveLength(3);
});

it('a node that is killed between two of them leaves the rest to its successor', async () => {
  const { juliet, departures, routed, host, unreliable, store } = await start();
  for (const id of ['1', '2', '3']) await juliet.say(id);
  juliet.session.finish('over');
  host.onRoute = ({ id }) => {
    if (id === '2') unreliable.die();
  };
  void departures.of(juliet.session);
  await turns();
  expect(ids(routed)).toEqual(['1', '2']);
  expect(await store.waiting(JULIET.bare, juliet.session.sessionId)).toHaveLength(2);
});

it('what a predecessor left is handed on, and then is no more', async () => {
  const { juliet, departures, store, routed } = await start();
  for (const id of ['1', '2']) await juliet.say(id);
  await store.end(JULIET.bare, JULIET.resource, juliet.session.sessionId, 1);
  await departures.finish(() => true);
  expect(ids(routed)).toEqual(['1', '2']);
  await departures.finish(() => true);
  expect(routed).toHaveLength(2);
});

it('a node that stops leaves everything to its successor', async () => {
  const { juliet, departures, unreliable, routed } = await start();
  await juliet.say('1');
  await unreliable.keyspace.close();
  juliet.session.finish('over');
  await departures.of(juliet.session);
  expect(routed).toEqual([]);
});

it('a session that is somebody else’s leaves only what that one does not know of', async () => {
  const { juliet, departures, unreliable, routed } = await start();
  await juliet.say('1');
  const other = new ResumptionStore({ keyspace: unreliable.keyspace, onDamaged() {} });
  const kept = await other.read(JULIET.bare, juliet.session.sessionId);
  const entries = kept?.entries ?? [];
  const header = { handled: 0, origins: new Map() };
  await other.takeOver(JULIET.bare, JULIET.resource, juliet.session.sessionId, 1, header, entries);
  const said = juliet.say('2'); // which is when it learns of it
  await expect.poll(() => juliet.session.ended).toBe(true);
  await departures.of(juliet.session);
  await said;
  expect(ids(routed)).toEqual(['2']);
  expect((await juliet.journal())?.entries).toEqual(['1 1']);
});

it('what cannot be read is told of and does not stop the others', async () => {
  const { juliet, departures, routed, unreadable } = await start();
  for (const id of ['1', '2', '3']) await juliet.say(id);
  const taken = juliet.management.backlog.takeAll.bind(juliet.management.backlog);
  const unread = ({ origin, journaled, later, at, out, ready }: Sent) =>
    new Sent({ text: '<', origin, journaled, later, at, out, ready });
  juliet.management.backlog.takeAll = () => taken().map((sent, place) => (place === 1 ? unread(sent) : sent));
  juliet.session.finish('over');
  await departures.of(juliet.session);
  expect([ids(routed), unreadable.length]).toEqual([['1', '3'], 1]);
});

it('another session with the same full JID waits until the store has this one no more', async () => {
  const { juliet, departures, unreliable } = await start();
  await juliet.say('1');
  let down = true;
  unreliable.fate = () => (down ? 'refused' : 'done');
  juliet.session.finish('over');
  const departure = departures.of(juliet.session);
  let free = false;
  const ended = departures.ended(JULIET).then(() => {
    free = true;
  });
  await turns(10);
  expect(free).toBe(false);
  down = false;
  await ended;
  expect(await juliet.journal()).toBeUndefined();
  await departure;
  await departures.ended(JULIET); // it knows of none any more
});

it('hands on what came late, since whoever has come meanwhile does not have it', async () => {
  const { juliet, departures, routed, had } = await start();
  for (const id of ['1', '2']) had.add(id);
  await juliet.say('1', 1);
  const origin = { sid: 'f'.repeat(16), k: 2, effect: 0, late: true };
  await juliet.session.send(message({ to: JULIET, id: '2' }).withOrigin(origin));
  juliet.session.finish('over');
  await departures.of(juliet.session);
  expect(ids(routed)).toEqual(['2']);
});
