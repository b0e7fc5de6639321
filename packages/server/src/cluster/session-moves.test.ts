import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { message } from '@parley/xmpp/stanza';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { JULIET, ManagedSession } from '../../../../tests/support/managed-session.ts';
import { journalKeys, partitionOf, sessionKeys } from '../session/resumption/resumption-keys.ts';
import { ResumptionStore } from '../session/resumption/resumption-store.ts';
import { Sessions } from '../session/sessions.ts';
import { SessionMoves } from './session-moves.ts';

const SELF = '0'.repeat(16);
const B = 'b'.repeat(16);
const SID = '1'.repeat(16);

let log: string[];
let sessions: Sessions;
let store: ResumptionStore;
let moves: SessionMoves;
let keyspace: Keyspace;

beforeEach(async () => {
  ({ keyspace } = await openKeyspace('embedded::memory:'));
  const opened = keyspace;
  onTestFinished(() => opened.close());
  store = new ResumptionStore({ keyspace, owner: SELF, onDamaged: (error) => expect.fail(error.message) });
  [sessions, log] = [new Sessions(), []];
  moves = new SessionMoves({
    id: SELF,
    sessions,
    store,
    keyspace,
    left: ({ sessionId }, node) => log.push(`${sessionId} went to ${node}`),
    offer: async ({ sessionId }, node) => void log.push(`offered ${node} ${sessionId}`),
    onLeaving: ({ sessionId }) => log.push(`${sessionId} leaves`),
    reap: async (isGone) => void log.push(`reaped ${isGone(SELF, SID)} ${isGone(B, SID)} ${isGone(SELF, 'x')}`),
    onFault: (error) => expect.fail(String(error)),
  });
  const made = moves;
  onTestFinished(() => made[Symbol.dispose]());
});

async function juliet(): Promise<ManagedSession> {
  const managed = await new ManagedSession({ store, sid: SID }).open();
  sessions.add(managed.session);
  return managed;
}

it('leaves a session to another node, and looks later whether that took it', async () => {
  const managed = await juliet();
  const timers = vi.spyOn(globalThis, 'setTimeout');
  await moves.leave(managed.session, B, 'it is resumed on another node');
  expect([managed.session.movedAway, managed.stream.closed, log]).toEqual([
    true,
    true,
    [`${SID} leaves`, `${SID} went to ${B}`],
  ]);
  const look = timers.mock.calls.find(([, milliseconds]) => milliseconds === 10_000)?.[0] as () => void;
  sessions.remove(managed.session);
  look();
  await expect.poll(() => log.at(-1)).toBe('reaped true false false'); // nobody took it
  const other = new ResumptionStore({ keyspace: keyspace, owner: B, onDamaged() {} });
  await other.claim(JULIET.bare, SID);
  log = [];
  look();
  await store.find(JULIET.bare, SID);
  await store.find(JULIET.bare, SID);
  expect(log).toEqual([]);
});

it('leaves none that cannot be resumed, or has ended', async () => {
  const managed = await juliet();
  managed.session.management = undefined;
  await moves.leave(managed.session, B, 'it goes');
  expect([managed.session.ended, log]).toEqual([false, []]);
});

it('hands sessions over to each of the others in turn, or to whoever comes next', async () => {
  const managed = await juliet();
  await moves.handOver(managed.session, [B]);
  expect([managed.session.movedAway, log]).toEqual([
    true,
    [`${SID} leaves`, `${SID} went to ${B}`, `offered ${B} ${SID}`],
  ]);
});

it('tells a store that has lost its newest writes what it left, as long as nobody has taken it', async () => {
  const managed = await juliet();
  managed.session.write(message({ id: 'not lost' }));
  await moves.leave(managed.session, B, 'it is resumed on another node');
  const epoch = managed.session.backlog?.epoch ?? 0;
  sessions.remove(managed.session);

  const lost = [sessionKeys.key(JULIET.bareText), journalKeys.key(partitionOf(JULIET), SID, String(epoch))];
  await keyspace.batch([['del', ...lost]], { atomic: true });
  await moves.storeChanged();
  const kept = await store.read(JULIET.bare, SID);
  expect([kept?.owner, kept?.record.epoch, kept?.entries.length]).toEqual([SELF, epoch + 1, 1]);

  await new ResumptionStore({ keyspace, owner: B, onDamaged() {} }).claim(JULIET.bare, SID);
  await moves.storeChanged();
  expect(await store.find(JULIET.bare, SID)).toMatchObject({ owner: B, record: { epoch: epoch + 2 } });
});

it('does not bring back what somebody has taken, whatever became of it since', async () => {
  const managed = await juliet();
  await moves.leave(managed.session, B, 'it is resumed on another node');
  const epoch = managed.session.backlog?.epoch ?? 0;
  sessions.remove(managed.session);
  await store.end(JULIET.bare, JULIET.resource, SID, epoch);
  const found = async () => {
    await moves.storeChanged();
    return (await store.find(JULIET.bare, SID))?.record.epoch;
  };
  moves.taken(SID, epoch); // what was true before it was left
  expect(await found()).toBe(epoch + 1);
  await store.end(JULIET.bare, JULIET.resource, SID, epoch + 1);
  moves.taken(SID, epoch + 1);
  expect(await found()).toBeUndefined();
});

it('does not put what it left in the place of what its client has resumed here at the same moment', async () => {
  const managed = await juliet();
  managed.session.write(message({ id: 'acknowledged here since' }));
  await moves.leave(managed.session, B, 'it is resumed on another node');
  sessions.remove(managed.session);
  const reassert = store.reassert.bind(store);
  vi.spyOn(store, 'reassert').mockImplementation(async (...args) => {
    const kept = await store.claim(JULIET.bare, SID);
    const { epoch } = kept?.record ?? expect.fail();
    await store.checkpoint(JULIET.bare, SID, epoch, kept?.header ?? expect.fail(), 1);
    return reassert(...args);
  });
  await moves.storeChanged();
  expect((await store.read(JULIET.bare, SID))?.entries).toEqual([]);
});
