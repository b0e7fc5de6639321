import { setImmediate as nextTurn } from 'node:timers/promises';
import { openKeyspace } from '@parley/keyspace/open';
import { expect, it, onTestFinished } from 'vitest';
import { JULIET, ManagedSession, turns } from '../../../../tests/support/managed-session.ts';
import { Peers } from '../peers.ts';
import { ResumptionStore } from '../session/resumption/resumption-store.ts';
import { Sessions } from '../session/sessions.ts';
import { RightfulOwners } from './rightful-owners.ts';

const SID = '1'.repeat(16);
const [A, B] = ['a', 'b'].map((digit) => digit.repeat(16)) as [string, string];
const NOTHING = { handled: 0, origins: new Map<string, number>() };

/** Two nodes with one keyspace, each of which may have a session of Juliet. */
async function start() {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  const scene = { unsettled: true, silent: false, alive: true, settled: 0, losses: 0 };
  const log: string[] = [];
  const node = (id: string, other: string) => {
    const store = new ResumptionStore({ keyspace, owner: id, onDamaged: (error) => expect.fail(error.message) });
    const [peers, sessions] = [new Peers(), new Sessions()];
    const left: string[] = [];
    const owners = new RightfulOwners({
      ...{ id, store, peers, sessions },
      log: { info: (event: string) => void log.push(event) } as never,
      others: () => [other],
      isAlive: () => scene.alive,
      reassertion: {
        get unsettled() {
          return scene.unsettled;
        },
        get losses() {
          return scene.losses;
        },
        settled: () => void scene.settled++,
      },
      registry: { assert: async ({ backlog }) => backlog?.recorded() },
      moves: { left: async (sid) => void left.push(sid) },
    });
    const juliet = async (epoch: number) => {
      const from = { epoch, header: NOTHING, entries: [] };
      const managed = new ManagedSession({ store, sid: SID, from });
      sessions.add(managed.session);
      return managed;
    };
    return { store, peers, owners, juliet, left };
  };
  const [a, b] = [node(A, B), node(B, A)];
  const connect = (one: typeof a, other: typeof a) =>
    one.peers.connect(
      async () => {},
      async (_, subject, text) => {
        await nextTurn();
        return !scene.silent && other.peers.receive(subject, text);
      },
    );
  connect(a, b);
  connect(b, a);
  return { a, b, scene, log };
}

it('a session that another node has under a higher epoch is let go of', async () => {
  const { a, b } = await start();
  const [former, later] = [await a.juliet(3), await b.juliet(4)];
  expect(await a.owners.isUndisputed(former.session, 3)).toBe(false);
  expect([former.session.movedAway, later.session.movedAway]).toEqual([true, false]);
  expect(await b.owners.isUndisputed(later.session, 4)).toBe(true);
});

it('also where it is its later owner who asks', async () => {
  const { a, b } = await start();
  const [former, later] = [await a.juliet(3), await b.juliet(4)];
  expect(await b.owners.isUndisputed(later.session, 4)).toBe(true);
  expect([former.session.movedAway, later.session.movedAway]).toEqual([true, false]);
});

it('of two under the same epoch one stays', async () => {
  const { a, b } = await start();
  const [one, other] = [await a.juliet(3), await b.juliet(3)];
  const both = await Promise.all([a.owners.isUndisputed(one.session, 3), b.owners.isUndisputed(other.session, 3)]);
  expect(both).toEqual([false, true]);
  expect([one.session.movedAway, other.session.movedAway]).toEqual([true, false]);
});

it('an owner who ends it hears of a later one as well, and of one of before only what was asked', async () => {
  const { a, b } = await start();
  const { session } = await new ManagedSession({ store: a.store, sid: SID }).open();
  const later = await b.juliet(4);
  expect(await a.owners.isUndisputed(session, 3)).toBe(false);
  later.session.finish('it is over');
  expect(await a.owners.isUndisputed(session, 5)).toBe(true);
});

it('asks again where there is no answer, as long as the other node lives', async () => {
  const { a, b, scene } = await start();
  const former = await a.juliet(3);
  await b.juliet(4);
  scene.silent = true;
  let answer: boolean | undefined;
  const asked = a.owners.isUndisputed(former.session, 3).then((yes) => {
    answer = yes;
  });
  await turns();
  expect(answer).toBeUndefined();
  scene.silent = false;
  await asked;
  expect(answer).toBe(false);
  [scene.silent, scene.alive] = [true, false];
  expect(await a.owners.isUndisputed(former.session, 3)).toBe(true);
});

it('has others tell the keyspace what they have of a session, where it may lack something', async () => {
  const { a, b, scene } = await start();
  const later = await b.juliet(4);
  later.management.backlog.storeChanged();
  expect(await a.owners.find(JULIET.bare, SID)).toMatchObject({ owner: B, record: { epoch: 5 } });
  await a.owners.told(JULIET.bare, 'another');
  expect(b.left).toEqual([SID, 'another']);
  scene.unsettled = false;
  expect(a.owners.told(JULIET.bare, SID)).toBeUndefined();
  expect(await a.owners.find(JULIET.bare, 'another')).toBeUndefined();
});

it('asks again where the keyspace has lost something meanwhile, and has sessions of this node written, too', async () => {
  const { a, b, scene } = await start();
  scene.silent = true;
  const told = a.owners.told(JULIET.bare);
  const own = await a.juliet(3);
  own.management.backlog.storeChanged();
  scene.losses++;
  scene.silent = false;
  await told;
  expect([own.management.backlog.asserted, b.left]).toEqual([true, ['', '']]);
});

it('tells of it where that takes long', async () => {
  const { a, scene, log } = await start();
  scene.silent = true;
  const told = a.owners.told(JULIET.bare, SID);
  await expect.poll(() => log).toEqual(['resumption.waits']);
  scene.silent = false;
  await told;
});

it('learns from another node that the keyspace has lost nothing', async () => {
  const { a, scene } = await start();
  await a.owners.begin();
  expect(scene.settled).toBe(0);
  scene.unsettled = false;
  await a.owners.begin();
  expect(scene.settled).toBe(1);
});
