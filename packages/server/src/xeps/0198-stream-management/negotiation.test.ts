import { openKeyspace } from '@parley/keyspace/open';
import { Registry } from '@parley/metrics/registry';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it, onTestFinished } from 'vitest';
import { FakeStream, JULIET, ManagedSession, turns } from '../../../../../tests/support/managed-session.ts';
import { type Fate, UnreliableKeyspace } from '../../../../../tests/support/unreliable-keyspace.ts';
import { Hooks } from '../../hooks.ts';
import type { OtherNodes } from '../../session/other-nodes.ts';
import { ResumptionStore } from '../../session/resumption/resumption-store.ts';
import { ResumptionIds } from '../../session/resumption-ids.ts';
import type { Session } from '../../session/session.ts';
import { Sessions } from '../../session/sessions.ts';
import { Arrivals } from './arrivals.ts';
import { Departures } from './departures.ts';
import { Negotiation } from './negotiation.ts';

const on = (stream: FakeStream) => (answer: Element) => stream.send(answer.toString(NS.client));

async function start(otherNodes?: OtherNodes) {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  const unreliable = new UnreliableKeyspace(keyspace);
  const store = new ResumptionStore({
    keyspace: unreliable.keyspace,
    onDamaged: (error) => expect.fail(error.message),
  });
  const sessions = new Sessions();
  const hooks = new Hooks((error) => expect.fail(String(error)));
  const resumed: string[] = [];
  hooks.events.on('session.resumed', ({ sessionId }) => void resumed.push(sessionId));
  const again = () => turns(1);
  const departures = new Departures({
    router: {} as never,
    store,
    isHadByOthers: () => true,
    again,
    onUnreadable: (error) => expect.fail(String(error)),
  });
  const times = { resumptionSeconds: 300, maxResumptionSeconds: 3600, location: undefined as string | undefined };
  const faults: unknown[] = [];
  const ids = new ResumptionIds(Buffer.alloc(32));
  const juliet = new ManagedSession({ store });
  juliet.session.management = undefined;
  sessions.add(juliet.session);
  const { metrics } = new Registry();
  const negotiation = new Negotiation({
    context: {
      sessions,
      hooks,
      metrics,
      otherNodes,
      log: { info() {} } as never,
      isAdmin: (jid) => jid.equals(JULIET.bare),
    },
    management: {
      store,
      limits: () => ({ maxStanzas: 10, maxBytes: 1000 }),
      again,
      upFor: () => () => {},
      onFault: (error) => faults.push(error),
      onDrained() {},
      isUndisputed: () => Promise.resolve(true),
      onFenced: (session) => session.moved('another node has it'),
    },
    ids,
    departures,
    turn: () => undefined,
    arrivals:
      otherNodes &&
      new Arrivals({
        otherNodes,
        metrics,
        store,
        own: () => undefined,
        async restore(account, sid) {
          const kept = await store.claim(account, sid);
          if (kept === undefined) return undefined;
          const from = { epoch: kept.record.epoch, header: kept.header, entries: kept.entries };
          return new ManagedSession({ store, from, sid }).session;
        },
      }),
    times: () => times,
    location: () => times.location,
  });
  const enable = (attributes: Record<string, string> = {}, session: Session | undefined = juliet.session) =>
    negotiation.enable(
      juliet.stream.stream,
      session,
      Element.of('enable', NS.streamManagement, attributes),
      on(juliet.stream),
    );
  const resume = (attributes: Record<string, string>, stream = new FakeStream()) =>
    negotiation
      .resume(stream.stream, Element.of('resume', NS.streamManagement, attributes), on(stream))
      .then(() => stream);
  const id = ids.idOf(JULIET.bareText, juliet.session.sessionId);
  const kept = async () => (await store.read(JULIET.bare, juliet.session.sessionId))?.record.maxSeconds;
  return {
    juliet,
    sessions,
    negotiation,
    enable,
    resume,
    id,
    kept,
    unreliable,
    store,
    times,
    hooks,
    resumed,
    faults,
    departures,
    metrics,
  };
}

const failed = (condition: string, h = '') =>
  `<failed xmlns='${NS.streamManagement}'${h}><${condition} xmlns='${NS.stanzas}'/></failed>`;

it.each<[Record<string, string>, number]>([
  [{}, 0],
  [{ resume: 'false' }, 0],
  [{ resume: 'TRUE' }, 0],
  [{ resume: 'true' }, 300],
  [{ resume: '1' }, 300],
  [{ resume: 'true', max: '60' }, 60],
  [{ resume: 'true', max: '0.5' }, 1],
  [{ resume: 'true', max: '0' }, 300],
  [{ resume: 'true', max: '-1' }, 300],
  [{ resume: 'true', max: '' }, 300],
  [{ resume: 'true', max: 'NaN' }, 300],
  [{ resume: 'true', max: 'Infinity' }, 3600],
  [{ resume: 'true', max: '4000' }, 3600],
])('enable %j: it waits for %i seconds', async (attributes, seconds) => {
  const { juliet, enable, id, kept } = await start();
  await enable(attributes);
  const resumable = ` id='${id}' resume='true' max='${seconds}'`;
  const enabled = `<enabled xmlns='${NS.streamManagement}'${seconds === 0 ? '' : resumable}/>`;
  expect(juliet.stream.sent).toEqual([enabled]);
  expect(juliet.session.management?.maxSeconds).toBe(seconds);
  expect(await kept()).toBe(seconds === 0 ? undefined : seconds);
});

it('where there is a better place to come back to than any other, the client is told', async () => {
  const { juliet, enable, times, id } = await start();
  times.location = '[2001:db8::1]:5222';
  await enable({ resume: 'true' });
  const resumable = `id='${id}' resume='true' max='300' location='[2001:db8::1]:5222'`;
  expect(juliet.stream.sent).toEqual([`<enabled xmlns='${NS.streamManagement}' ${resumable}/>`]);
});

it('nobody waits longer than the operator allows, even where more is the rule', async () => {
  const { enable, times, kept } = await start();
  times.resumptionSeconds = 5000;
  await enable({ resume: 'true' });
  expect(await kept()).toBe(3600);
});

it('guests have nothing to come back to', async () => {
  const { juliet, enable, times } = await start();
  times.location = 'one.example:5222';
  juliet.stream.mechanism = 'ANONYMOUS';
  await enable({ resume: 'true' });
  expect(juliet.stream.sent).toEqual([`<enabled xmlns='${NS.streamManagement}'/>`]);
});

it('is enabled once, on a session', async () => {
  const { juliet, negotiation, enable } = await start();
  const element = Element.of('enable', NS.streamManagement);
  await negotiation.enable(juliet.stream.stream, undefined, element, on(juliet.stream));
  expect(juliet.stream.take('failed')).toEqual([failed('unexpected-request')]);
  await enable();
  await enable();
  expect(juliet.stream.take('failed')).toEqual([failed('unexpected-request')]);
});

it.each<[Fate]>([['refused'], ['lost'], ['unanswered'], ['late']])(
  'a keyspace that fails (%s) is no end of the stream, and nothing stays in it',
  async (fate) => {
    const { juliet, enable, unreliable, hooks, kept, faults } = await start();
    const list = [fate];
    unreliable.fate = () => list.shift() ?? 'done';
    await enable({ resume: 'true' });
    expect(juliet.stream.sent).toEqual([failed('resource-constraint')]);
    expect(juliet.session.management).toBeUndefined();
    await enable({ resume: 'true' }); // what is undone must not be undone for another attempt
    expect(juliet.stream.sent[1]).toEqual(failed('unexpected-request'));
    if (fate === 'late') await unreliable.arrive();
    await hooks.pending.idle();
    if (fate !== 'late') expect(await kept()).toBeUndefined();
    expect(faults).toEqual([]);
  },
);

it('a session that ends while it is enabled leaves nothing', async () => {
  const { juliet, enable, unreliable, hooks, kept } = await start();
  unreliable.fate = () => {
    juliet.session.finish('over');
    return 'done';
  };
  await enable({ resume: 'true' });
  await hooks.pending.idle();
  expect([juliet.session.management, await kept()]).toEqual([undefined, undefined]);
});

it('a session that ends before it can be recorded does not replace one that came with its full JID since', async () => {
  const { juliet, enable, store, departures } = await start();
  const { promise: before, resolve } = Promise.withResolvers<void>();
  departures.await(JULIET, before);
  const enabling = enable({ resume: 'true' });
  await turns();
  juliet.session.finish('over');
  const since = await new ManagedSession({ store, sid: 'b'.repeat(16) }).open();
  resolve();
  await enabling;
  expect((await since.journal())?.entries).toEqual([]);
  expect((await store.list(JULIET.bare)).map(({ record }) => record.sid)).toEqual(['b'.repeat(16)]);
});

it('is resumed by its name, and its administrator has no limits', async () => {
  const { juliet, enable, resume, id, resumed } = await start();
  await enable({ resume: 'true' });
  const stream = await resume({ previd: id, h: '0' });
  expect(stream.sent).toEqual([`<resumed xmlns='${NS.streamManagement}' h='0' previd='${id}'/>`]);
  expect([juliet.stream.errors, resumed, stream.unlimited]).toEqual([['conflict'], [juliet.session.sessionId], true]);
});

it.each<[Record<string, string>, string]>([
  [{}, 'bad-request'],
  [{ h: '-1' }, 'bad-request'],
  [{ h: '4294967296' }, 'bad-request'],
  [{ h: '0' }, 'item-not-found'],
  [{ h: '0', previd: 'x' }, 'item-not-found'],
])('resume %j fails: %s', async (attributes, condition) => {
  const { enable, resume, juliet } = await start();
  await enable({ resume: 'true' });
  expect((await resume(attributes)).sent).toEqual([failed(condition)]);
  expect(juliet.stream.closed).toBe(false);
});

it('is fetched from the node that took it over while this one was cut off', async () => {
  const released: string[] = [];
  const otherNodes: Partial<OtherNodes> = {
    confirmed: () => undefined,
    isAlive: () => true,
    told: () => undefined,
    release: async (owner, sid) => released.push(`${owner} ${sid}`) > 0,
  };
  const { juliet, enable, resume, id, store, unreliable, resumed, metrics } = await start(otherNodes as OtherNodes);
  await enable({ resume: 'true' });
  const { sessionId } = juliet.session;
  const other = new ResumptionStore({
    keyspace: unreliable.keyspace,
    onDamaged: (error) => expect.fail(error.message),
  });
  await other.claim(JULIET.bare, sessionId);
  const stream = await resume({ previd: id, h: '0' });
  expect(stream.sent).toEqual([`<resumed xmlns='${NS.streamManagement}' h='0' previd='${id}'/>`]);
  expect([juliet.session.movedAway, released, resumed]).toEqual([true, [`${other.owner} ${sessionId}`], [sessionId]]);
  expect((await store.find(JULIET.bare, sessionId))?.owner).toBe(store.owner);
  expect(metrics.resumptionDuration.with({ from: 'elsewhere' }).counts.reduce((sum, count) => sum + count, 0)).toBe(1);
});

it('can be resumed once this node is known to be one of the cluster', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const otherNodes: Partial<OtherNodes> = { confirmed: () => promise };
  const { juliet, enable, kept } = await start(otherNodes as OtherNodes);
  const enabled = enable({ resume: 'true' });
  await turns();
  expect([juliet.stream.sent, await kept()]).toEqual([[], undefined]);
  resolve();
  await enabled;
  expect(await kept()).toBe(300);
});

it('nobody resumes anything without having authenticated', async () => {
  const { resume, id } = await start();
  const stream = new FakeStream();
  Object.assign(stream, { identity: undefined });
  expect((await resume({ previd: id, h: '0' }, stream)).sent).toEqual([failed('unexpected-request')]);
});

it('what was not to be resumed is not', async () => {
  const { enable, resume, id } = await start();
  await enable();
  expect((await resume({ previd: id, h: '0' })).sent).toEqual([failed('item-not-found')]);
});

it('a session that ends in this very moment tells how much it handled all the same', async () => {
  const { juliet, enable, resume, id, sessions, departures } = await start();
  await enable({ resume: 'true' });
  await juliet.session.receive(Element.of('message', NS.client));
  sessions.remove(juliet.session);
  juliet.session.finish('over');
  const departure = departures.of(juliet.session);
  expect((await resume({ previd: id, h: '0' })).sent).toEqual([failed('item-not-found', ` h='1'`)]);
  await departure;
});

it('a keyspace that fails leaves out how much that was', async () => {
  const { resume, id, store } = await start();
  const { KeyspaceError } = await import('@parley/keyspace/keyspace-error');
  store.lastHandled = () => Promise.reject(new KeyspaceError('away', 'It is not there.'));
  expect((await resume({ previd: id, h: '0' })).sent).toEqual([failed('item-not-found')]);
});

it('a connection that is lost meanwhile is told nothing', async () => {
  const { juliet, enable, resume, id, unreliable, resumed } = await start();
  await enable({ resume: 'true' });
  const stream = new FakeStream();
  unreliable.fate = () => {
    stream.break();
    return 'done';
  };
  await resume({ previd: id, h: '0' }, stream);
  expect([stream.sent, resumed, juliet.session.detached]).toEqual([[], [], true]);
});
