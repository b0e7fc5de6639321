import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { JULIET, ManagedSession } from '../../../../tests/support/managed-session.ts';
import { ResumptionStore } from '../session/resumption/resumption-store.ts';
import { Sessions } from '../session/sessions.ts';
import { Handovers } from './handovers.ts';
import { decodeSession } from './items.ts';

const SELF = '0'.repeat(16);
const B = 'b'.repeat(16);
const SID = '1'.repeat(16);

let asked: Promise<boolean>;
let log: string[];
let sessions: Sessions;
let store: ResumptionStore;
let handovers: Handovers;
let keyspace: Keyspace;

beforeEach(async () => {
  ({ keyspace } = await openKeyspace('embedded::memory:'));
  const opened = keyspace;
  onTestFinished(() => opened.close());
  store = new ResumptionStore({ keyspace, owner: SELF, onDamaged: (error) => expect.fail(error.message) });
  [sessions, log, asked] = [new Sessions(), [], Promise.resolve(true)];
  handovers = new Handovers({
    id: SELF,
    sessions,
    store,
    keyspace,
    ask: (node, item) => {
      log.push(`asked ${node} for ${decodeSession(item(1)).sid}`);
      return asked;
    },
    send: (to, item) => log.push(`told ${to} of ${decodeSession(item).sid}`),
    onLeft: ({ sessionId }, node) => log.push(`${sessionId} went to ${node}`),
    onLeaving: ({ sessionId }) => log.push(`${sessionId} leaves`),
    reap: async (isGone) => void log.push(`reaped ${isGone(SELF, SID)} ${isGone(B, SID)} ${isGone(SELF, 'x')}`),
    onFault: (error) => expect.fail(String(error)),
  });
});

async function juliet(): Promise<ManagedSession> {
  const managed = await new ManagedSession({ store, sid: SID }).open();
  sessions.add(managed.session);
  return managed;
}

it('asks for a session, and waits only so long', async () => {
  expect(await handovers.request(B, SID)).toBe(true);
  asked = Promise.resolve(false);
  expect(await handovers.request(B, SID)).toBe(false);
  asked = new Promise(() => {});
  expect(await handovers.request(B, SID)).toBe(false);
  expect(log).toEqual(Array(3).fill(`asked ${B} for ${SID}`));
});

it('leaves a session to another node, and looks later whether that took it', async () => {
  const managed = await juliet();
  const timers = vi.spyOn(globalThis, 'setTimeout');
  await handovers.release(B, { sid: SID });
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

it('leaves none that is not here, or cannot be resumed', async () => {
  await handovers.release(B, { sid: SID });
  const managed = await juliet();
  managed.session.management = undefined;
  await handovers.release(B, { sid: SID });
  expect([managed.session.ended, log]).toEqual([false, []]);
});

it('ends a session here, or has its node do so', async () => {
  const managed = await juliet();
  handovers.evict(B, SID); // it has come here
  expect([managed.stream.errors, log]).toEqual([['conflict'], []]);
  sessions.remove(managed.session);
  handovers.evict(B, SID);
  handovers.evict(SELF, SID);
  expect(log).toEqual([`told ${B} of ${SID}`]);
});
