import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { openKeyspace } from '@parley/keyspace/open';
import { Registry } from '@parley/metrics/registry';
import { Jid } from '@parley/xmpp/jid';
import { expect, it, onTestFinished } from 'vitest';
import { FakeStream } from '../../../../../tests/support/managed-session.ts';
import { UnreliableKeyspace } from '../../../../../tests/support/unreliable-keyspace.ts';
import { Hooks } from '../../hooks.ts';
import type { OtherNodes } from '../../session/other-nodes.ts';
import { type ResumptionRecord, ResumptionStore } from '../../session/resumption/resumption-store.ts';
import { Session, type SessionHost } from '../../session/session.ts';
import { Sessions } from '../../session/sessions.ts';
import { Departures } from './departures.ts';
import { DetachedSessions } from './detached-sessions.ts';
import { restoreSession, takeOverSessions } from './restoring.ts';

const juliet = Jid.parse('juliet@capulet.lit');
const romeo = Jid.parse('romeo@montague.lit');
const sidOf = (number: number) => String(number).padStart(16, '0');

const record = (sid: string, parts: Partial<ResumptionRecord> = {}): ResumptionRecord => ({
  resource: `r${Number(sid)}`,
  sid,
  epoch: 1,
  maxSeconds: 60,
  carbons: false,
  interested: false,
  receiving: false,
  inactive: false,
  boundAt: 1_700_000_000_000,
  presence: undefined,
  directed: [],
  mechanism: 'SCRAM-SHA-256',
  ...parts,
});

async function start() {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  const unreliable = new UnreliableKeyspace(keyspace);
  const log: string[] = [];
  const note = (event: string, { sessions, account }: Record<string, unknown>) =>
    void log.push(`${event} ${sessions ?? account}`);
  const store = new ResumptionStore({ keyspace: unreliable.keyspace, onDamaged: () => log.push('damaged') });
  const hooks = new Hooks((error) => expect.fail(String(error)));
  hooks.events.on('session.bound', (session) => void log.push(`bound ${session.jid}`));
  hooks.events.on('session.restored', (session, directed) => void log.push(`restored ${session.jid}: ${directed}`));
  const sessions: Session[] = [];
  const table = new Sessions();
  const { metrics } = new Registry();
  const host: Partial<SessionHost> = { onChange() {}, onEnd: (session) => detached.remove(session) };
  const detached = new DetachedSessions({ sessionsOf: () => sessions, most: () => 100, onLimit() {} });
  onTestFinished(() => detached.clear());
  const context = {
    hooks,
    metrics,
    sessions: table,
    otherNodes: undefined as OtherNodes | undefined,
    log: { info: note, error: note } as never,
    restoreSession(jid: Jid, sid: string) {
      const session = new Session(jid, new FakeStream().stream, host as SessionHost, sid);
      sessions.push(session);
      table.add(session);
      return session;
    },
  };
  const management = { store, limits: () => ({ maxStanzas: 10, maxBytes: 1000 }) } as never;
  const departures = new Departures({
    router: { route: () => expect.fail('nothing is to be sent on') } as never,
    store,
    isHadByOthers: () => false,
    again: () => Promise.resolve(),
    onUnreadable: (error) => expect.fail(String(error)),
  });
  const at = { context, store, host: management, detached, departures, running: new Map() };
  const restore = (isGone = (_owner: string, _sid: string) => true) => takeOverSessions(at, isGone);
  return { store, unreliable, keyspace, hooks, log, sessions, detached, departures, restore, at, metrics };
}

const header = (handled = 0) => ({ handled, origins: new Map<string, number>() });

it('everything is again as it was, and waits for its client', async () => {
  const { store, log, sessions, detached, restore } = await start();
  const presence = `<presence from='juliet@capulet.lit/r1'><priority>5</priority></presence>`;
  const parts = { carbons: true, interested: true, presence, directed: ['nurse@capulet.lit', 'room@muc.lit/juliet'] };
  await store.open(juliet, record(sidOf(1), parts), header(7));
  await store.open(romeo, record(sidOf(2)), header());
  await store.append(romeo, sidOf(2), 1, [{ out: 3, origin: undefined, at: 9, text: `<message id='1'/>` }]);
  await restore();
  const [first, second] = sessions.sort((a, b) => a.sessionId.localeCompare(b.sessionId));
  expect(first).toMatchObject({
    jid: juliet.withResource('r1'),
    sessionId: sidOf(1),
    detached: true,
    available: true,
    priority: 5,
    carbons: true,
    interested: true,
    stream: { mechanism: 'SCRAM-SHA-256' },
    management: { maxSeconds: 60, epoch: 2, nextInbound: 8, backlog: { unacknowledgedSince: undefined } },
  });
  expect(String(first?.presence)).toBe(presence);
  expect(second).toMatchObject({
    available: false,
    priority: 0,
    carbons: false,
    interested: false,
    management: { nextInbound: 1, backlog: { unacknowledgedSince: 9 } },
  });
  expect(detached.size).toBe(2);
  expect(log.sort()).toEqual([
    'bound juliet@capulet.lit/r1',
    'bound romeo@montague.lit/r2',
    'restored juliet@capulet.lit/r1: nurse@capulet.lit,room@muc.lit/juliet',
    'restored romeo@montague.lit/r2: ',
    'resumption.restored 2',
  ]);
});

it('those who wait for their clients wait for nothing that contacts are told of the others', async () => {
  const { store, hooks, keyspace, sessions, restore } = await start();
  const { sessionKeys } = await import('../../session/resumption/resumption-keys.ts');
  const presence = `<presence from='juliet@capulet.lit/r1'/>`;
  for (const [index, account] of [juliet, romeo].entries()) {
    await store.register(account, record(sidOf(1 + index), { maxSeconds: 0, presence }));
    await store.open(account, record(sidOf(3 + index)), header());
  }
  hooks.pending.add(new Promise(() => {})); // there is always something
  const restored = Promise.withResolvers<void>();
  hooks.events.on('session.restored', () => {
    if (sessions.length === 2) restored.resolve();
  });
  hooks.events.on('session.lost', () => restored.promise);
  await restore();
  expect(await Promise.all([juliet, romeo].map((account) => keyspace.hlen(sessionKeys.key(account.bareText))))).toEqual(
    [1, 1],
  );
});

it('a session that somebody else takes over at the same moment is left alone', async () => {
  const { store, keyspace, sessions, restore } = await start();
  await store.open(juliet, record(sidOf(1)), header());
  const other = new ResumptionStore({ keyspace, onDamaged: (error) => expect.fail(error.message) });
  let claimed: Promise<unknown> | undefined;
  await restore(() => {
    claimed = other.claim(juliet, sidOf(1));
    return true;
  });
  expect(await claimed).toBeDefined();
  expect(sessions).toEqual([]);
  expect(await store.find(juliet, sidOf(1))).toMatchObject({ owner: other.owner, record: { epoch: 2 } });
});

it('nothing is told where there was nothing', async () => {
  const { log, restore } = await start();
  await restore();
  expect(log).toEqual([]);
});

it.each([
  ['presence that is none', { presence: '<presence' }],
  ['a priority that is none', { presence: '<presence><priority>x</priority></presence>' }],
  ['an address that is none', { directed: ['@'] }],
])('%s is told of, and no trace of its session is left among the others', async (_, damage) => {
  const { store, log, sessions, detached, restore, metrics } = await start();
  await store.open(juliet, record(sidOf(1), damage), header());
  await store.open(juliet, record(sidOf(2)), header());
  await restore();
  expect(sessions.map(({ sessionId }) => sessionId)).toEqual([sidOf(2)]);
  expect(detached.size).toBe(1);
  expect(log).toContain('resumption.damaged juliet@capulet.lit');
  expect(log).toContain('resumption.restored 1');
  expect(metrics.clusterTakeovers.with({ how: 'reaped' }).value).toBe(1);
});

it('a journal that cannot be read is told of, and does not keep the others away', async () => {
  const { store, keyspace, log, sessions, restore } = await start();
  await store.open(juliet, record(sidOf(1)), header());
  await store.open(juliet, record(sidOf(2)), header());
  const { journalKeys, partitionOf } = await import('../../session/resumption/resumption-keys.ts');
  await keyspace.rpushx(journalKeys.key(partitionOf(juliet), sidOf(1), '1'), Buffer.from('?'));
  await restore();
  expect(sessions.map(({ sessionId }) => sessionId)).toEqual([sidOf(2)]);
  expect(log).toContain('resumption.damaged juliet@capulet.lit');
});

it('a keyspace that goes away meanwhile does not look like one without sessions', async () => {
  const { store, keyspace, restore } = await start();
  await store.open(juliet, record(sidOf(1)), header());
  store.claim = async () => {
    await keyspace.close();
    return ResumptionStore.prototype.claim.call(store, juliet, sidOf(1));
  };
  await expect(restore()).rejects.toMatchObject({ failure: 'closed' });
});

it('what a keyspace has forgotten to be over goes for good, and nothing of it is sent on', async () => {
  const { store, sessions, departures, restore } = await start();
  const over = record(sidOf(1));
  const account = juliet;
  const entry = { out: 1, origin: undefined, at: 1, text: '<message/>' };
  const begin = async () => {
    await store.open(account, over, header());
    await store.append(account, over.sid, over.epoch, [entry]);
  };
  await departures.of({ sessionId: over.sid } as Session); // nothing is left of it
  await begin(); // but its end got lost
  await restore();
  expect([sessions, await store.find(account, over.sid), await store.waiting(account, over.sid)]).toEqual([
    [],
    undefined,
    [],
  ]);

  await begin();
  await store.end(account, over.resource, over.sid, over.epoch); // and here that it was sent on
  await departures.finish(() => true);
  expect(await store.waiting(account, over.sid)).toEqual([]);
});

it('takes only what is gone, as the caller sees it', async () => {
  const { store, keyspace, sessions, restore } = await start();
  const other = new ResumptionStore({ keyspace, onDamaged: (error) => expect.fail(error.message) });
  await store.open(juliet, record(sidOf(1)), header());
  await other.open(juliet, record(sidOf(2)), header());
  await other.open(juliet, record(sidOf(3)), header());
  await restore((owner, sid) => owner === other.owner && sid !== sidOf(3));
  expect(sessions.map(({ sessionId }) => sessionId)).toEqual([sidOf(2)]);
  const owners = (await store.list(juliet)).map(({ record, owner }) => [record.sid, owner]);
  expect(new Map(owners as [string, string][])).toEqual(
    new Map([
      [sidOf(1), store.owner],
      [sidOf(2), store.owner],
      [sidOf(3), other.owner],
    ]),
  );
});

it('those that cannot be resumed are over, whose contacts are told before that is forgotten', async () => {
  const { store, log, sessions, detached, restore, hooks } = await start();
  const told = Promise.withResolvers<void>();
  hooks.events.on('session.lost', (jid, directed) => {
    log.push(`lost ${jid}: ${directed}`);
    return told.promise;
  });
  hooks.pending.add(new Promise(() => {})); // a node that is never idle
  const presence = `<presence from='juliet@capulet.lit/r1'/>`;
  await store.register(juliet, record(sidOf(1), { maxSeconds: 0, presence, directed: ['nurse@capulet.lit'] }));
  await store.register(juliet, record(sidOf(2), { maxSeconds: 0 }));
  const restored = restore();
  await expect.poll(() => log).toEqual(['lost juliet@capulet.lit/r1: nurse@capulet.lit']);
  expect((await store.list(juliet)).map(({ record }) => record.sid)).toContain(sidOf(1));
  told.resolve();
  await restored;
  expect([await store.list(juliet), sessions, detached.size, log.length]).toEqual([[], [], 0, 1]);
});

it('is one session, however many want it at once', async () => {
  const { store, sessions, detached, restore, at } = await start();
  await store.open(juliet, record(sidOf(1)), header());
  const [first, second] = await Promise.all([
    restoreSession(juliet, sidOf(1), at),
    restoreSession(juliet, sidOf(1), at),
    restore(),
  ]);
  expect(first).toBeDefined();
  expect(second).toBe(first);
  expect(await restoreSession(juliet, sidOf(1), at)).toBe(first);
  expect([sessions.length, detached.size, at.running.size, first?.management?.epoch]).toEqual([1, 1, 0, 2]);
});

it('is taken over once this node is known to be one of the cluster, and not where it is none', async () => {
  const { store, sessions, at } = await start();
  await store.open(juliet, record(sidOf(1)), header());
  const { promise, reject } = Promise.withResolvers<void>();
  at.context.otherNodes = { confirmed: () => promise } as Partial<OtherNodes> as OtherNodes;
  const restored = restoreSession(juliet, sidOf(1), at);
  reject(new KeyspaceError('closed', 'It is none.'));
  await expect(restored).rejects.toMatchObject({ failure: 'closed' });
  expect([sessions, (await store.find(juliet, sidOf(1)))?.record.epoch]).toEqual([[], 1]);
  at.context.otherNodes = { confirmed: () => Promise.resolve() } as Partial<OtherNodes> as OtherNodes;
  expect((await restoreSession(juliet, sidOf(1), at))?.management?.epoch).toBe(2);
});

it('finds none that is not there', async () => {
  const { sessions, at } = await start();
  expect(await restoreSession(juliet, sidOf(2), at)).toBeUndefined();
  expect(sessions).toEqual([]);
});
