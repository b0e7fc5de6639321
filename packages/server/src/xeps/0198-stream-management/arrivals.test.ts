import { openKeyspace } from '@parley/keyspace/open';
import { Registry } from '@parley/metrics/registry';
import { Jid } from '@parley/xmpp/jid';
import { expect, it, onTestFinished } from 'vitest';
import { ResumptionStore } from '../../session/resumption/resumption-store.ts';
import type { Session } from '../../session/session.ts';
import { Arrivals } from './arrivals.ts';

const juliet = Jid.parse('juliet@capulet.lit');
const SID = 'a'.repeat(16);
const [HERE, OTHER, THIRD] = ['1', '2', '3'].map((digit) => digit.repeat(16)) as [string, string, string];

const wanted = () => true;

/** A session of another node in a keyspace, and a node that it may come to. */
async function start() {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  const storeOf = (owner: string) =>
    new ResumptionStore({ keyspace, owner, onDamaged: (error) => expect.fail(error.message) });
  const record = {
    resource: 'balcony',
    sid: SID,
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
  };
  const open = (maxSeconds = 60) =>
    storeOf(OTHER).open(juliet, { ...record, maxSeconds }, { handled: 0, origins: new Map() });
  const store = storeOf(HERE);
  let own: Session | undefined;
  const released: string[] = [];
  const scene = {
    alive: true,
    answers: true,
    losses: 0,
    async onRelease(_owner: string): Promise<void> {},
    onTold: undefined as (() => Promise<void>) | undefined,
  };
  const { metrics } = new Registry();
  const arrivals = new Arrivals({
    metrics,
    otherNodes: {
      get losses() {
        return scene.losses;
      },
      told: () => scene.onTold?.(),
      isAlive: () => scene.alive,
      async release(owner: string, sid: string) {
        released.push(`${owner} ${sid}`);
        await scene.onRelease(owner);
        return scene.answers;
      },
    } as never,
    store,
    own: () => own,
    async restore(account, sid, mayTakeFrom) {
      const kept = await store.claim(account, sid, mayTakeFrom);
      if (kept === undefined) return undefined;
      own = { epoch: kept.record.epoch } as never;
      return own;
    },
  });
  const ownerAndEpoch = async () => {
    const found = await store.find(juliet, SID);
    return [found?.owner, found?.record.epoch];
  };
  /** How many came as their owners left them, and how many without. */
  const takeovers = () => ['released', 'forced'].map((how) => metrics.clusterTakeovers.with({ how } as never).value);
  return { arrivals, open, store, storeOf, released, scene, ownerAndEpoch, takeovers };
}

it('has the owner let go of a session, where it is alive', async () => {
  const { arrivals, open, released, scene, ownerAndEpoch, takeovers } = await start();
  await open();
  expect(await arrivals.fetch(juliet, SID, wanted)).toMatchObject({ from: 'elsewhere' });
  expect(released).toEqual([`${OTHER} ${SID}`]);
  expect(await ownerAndEpoch()).toEqual([HERE, 2]);
  scene.alive = false;
  expect(await arrivals.fetch(juliet, SID, wanted)).toMatchObject({ from: 'here' });
  expect([released.length, await ownerAndEpoch(), takeovers()]).toEqual([1, [HERE, 2], [1, 0]]);
});

it('takes it from an owner that does not answer', async () => {
  const { arrivals, open, released, scene, ownerAndEpoch, takeovers } = await start();
  await open();
  scene.answers = false;
  expect(await arrivals.fetch(juliet, SID, wanted)).toMatchObject({ from: 'elsewhere' });
  expect([released.length, await ownerAndEpoch(), takeovers()]).toEqual([1, [HERE, 2], [0, 1]]);
});

it('takes it from a node that is gone', async () => {
  const { arrivals, open, released, scene, ownerAndEpoch, takeovers } = await start();
  await open();
  scene.alive = false;
  expect(await arrivals.fetch(juliet, SID, wanted)).toMatchObject({ from: 'gone' });
  expect([released, await ownerAndEpoch(), takeovers()]).toEqual([[], [HERE, 2], [0, 1]]);
});

it('finds none that is over, or cannot be resumed', async () => {
  const { arrivals, open, ownerAndEpoch } = await start();
  expect(await arrivals.fetch(juliet, SID, wanted)).toBeUndefined();
  await open(0);
  expect(await arrivals.fetch(juliet, SID, wanted)).toBeUndefined();
  expect(await ownerAndEpoch()).toEqual([OTHER, 1]);
});

it('follows one that has just gone to a third node', async () => {
  const { arrivals, open, storeOf, released, scene, ownerAndEpoch } = await start();
  await open();
  scene.onRelease = async (owner) => {
    if (owner === OTHER) await storeOf(THIRD).claim(juliet, SID, (from) => from === OTHER);
  };
  expect(await arrivals.fetch(juliet, SID, wanted)).toBeDefined();
  expect(released).toEqual([`${OTHER} ${SID}`, `${THIRD} ${SID}`]);
  expect(await ownerAndEpoch()).toEqual([HERE, 3]);
});

it('has it come once where two clients want it, and its node lets go of it, too', async () => {
  const { arrivals, open, ownerAndEpoch, takeovers } = await start();
  await open();
  const offer = { owner: OTHER, sid: SID, account: juliet, epoch: 1 };
  const [one, , two] = await Promise.all([
    arrivals.fetch(juliet, SID, wanted),
    arrivals.onOffered(offer),
    arrivals.fetch(juliet, SID, wanted),
  ]);
  expect(one).toBeDefined();
  expect(two?.session).toBe(one?.session);
  expect([await ownerAndEpoch(), takeovers()]).toEqual([
    [HERE, 2],
    [1, 0],
  ]);
});

it('takes what is offered, unless somebody else has it', async () => {
  const { arrivals, open, storeOf, ownerAndEpoch, takeovers } = await start();
  await open();
  const offer = { owner: OTHER, sid: SID, account: juliet, epoch: 1 };
  await arrivals.onOffered(offer);
  await arrivals.onOffered(offer);
  expect(takeovers()).toEqual([1, 0]);
  expect(await ownerAndEpoch()).toEqual([HERE, 2]);
  await storeOf(THIRD).claim(juliet, SID);
  await arrivals.onOffered(offer);
  expect(await ownerAndEpoch()).toEqual([THIRD, 3]);
});

it('has it left once more where the keyspace has lost since what it was told', async () => {
  const { arrivals, open, released, scene, ownerAndEpoch } = await start();
  await open();
  scene.onRelease = async () => {
    if (released.length === 1) scene.losses++;
  };
  expect(await arrivals.fetch(juliet, SID, wanted)).toMatchObject({ from: 'elsewhere' });
  expect(released.length).toBe(2);
  expect(await ownerAndEpoch()).toEqual([HERE, 2]);
});

it('takes nothing older than what is offered', async () => {
  const { arrivals, open, ownerAndEpoch } = await start();
  await open();
  await arrivals.onOffered({ owner: OTHER, sid: SID, account: juliet, epoch: 2 });
  expect(await ownerAndEpoch()).toEqual([OTHER, 1]);
});

it('leaves it where it is once the client has gone away', async () => {
  const { arrivals, open, released, ownerAndEpoch } = await start();
  await open();
  expect(await arrivals.fetch(juliet, SID, () => false)).toBeUndefined();
  expect([released, await ownerAndEpoch()]).toEqual([[], [OTHER, 1]]);
});

it('does not take for over what goes from node to node all the time', async () => {
  const { arrivals, open, storeOf, scene, ownerAndEpoch } = await start();
  await open();
  scene.onRelease = async (owner) => {
    await storeOf(owner === OTHER ? THIRD : OTHER).claim(juliet, SID);
  };
  await expect(arrivals.fetch(juliet, SID, wanted)).rejects.toMatchObject({ condition: 'resource-constraint' });
  expect((await ownerAndEpoch())[0]).not.toBe(HERE);
});

it('has the others tell a keyspace that has lost it what they have of it, before it is looked for', async () => {
  const { arrivals, open, storeOf, released, scene, ownerAndEpoch } = await start();
  await open();
  scene.onTold = async () => {
    const kept = await storeOf(THIRD).find(juliet, SID);
    if (kept?.owner !== OTHER) return;
    await storeOf(THIRD).reassert(juliet, { ...kept.record, epoch: 4 }, { handled: 7, origins: new Map() }, []);
  };
  await arrivals.fetch(juliet, SID, wanted);
  expect([released, await ownerAndEpoch()]).toEqual([[`${THIRD} ${SID}`], [HERE, 6]]);
});

it('looks again where the keyspace loses something meanwhile', async () => {
  const { arrivals, open, scene } = await start();
  scene.onTold = async () => {
    scene.losses++;
    scene.onTold = () => open().then(() => {});
  };
  expect(await arrivals.fetch(juliet, SID, wanted)).toMatchObject({ from: 'elsewhere' });
});
