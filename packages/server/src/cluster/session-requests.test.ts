import { openKeyspace } from '@parley/keyspace/open';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { ManagedSession } from '../../../../tests/support/managed-session.ts';
import { ResumptionStore } from '../session/resumption/resumption-store.ts';
import { Sessions } from '../session/sessions.ts';
import { decodeNotice, decodeSession, ITEM } from './items.ts';
import { SessionRequests } from './session-requests.ts';

const SELF = '0'.repeat(16);
const B = 'b'.repeat(16);
const SID = '1'.repeat(16);

let asked: Promise<boolean>;
let log: string[];
let sessions: Sessions;
let store: ResumptionStore;
let requests: SessionRequests;

beforeEach(async () => {
  const { keyspace } = await openKeyspace('embedded::memory:');
  onTestFinished(() => keyspace.close());
  store = new ResumptionStore({ keyspace, owner: SELF, onDamaged: (error) => expect.fail(error.message) });
  [sessions, log, asked] = [new Sessions(), [], Promise.resolve(true)];
  requests = new SessionRequests({
    id: SELF,
    sessions,
    ask: (node, item) => {
      const bytes = item(1);
      if (bytes[0] === ITEM.notice) log.push(`told ${node}: ${decodeNotice(bytes).text}`);
      else log.push(`asked ${node} for ${decodeSession(bytes).sid}`);
      return asked;
    },
    send: (to, item) => log.push(`told ${to} of ${decodeSession(item).sid}`),
  });
});

async function juliet(): Promise<ManagedSession> {
  const managed = await new ManagedSession({ store, sid: SID }).open();
  sessions.add(managed.session);
  return managed;
}

it('asks for a session, and waits only so long', async () => {
  expect(await requests.release(B, SID)).toBe(true);
  asked = Promise.resolve(false);
  expect(await requests.release(B, SID)).toBe(false);
  asked = new Promise(() => {});
  expect(await requests.release(B, SID)).toBe(false);
  expect(log).toEqual(Array(3).fill(`asked ${B} for ${SID}`));
});

it('offers another node a session that was left to it', async () => {
  const { session } = await juliet();
  await requests.offer(session, B);
  expect(log).toEqual([`told ${B}: ${SELF} ${SID} 1 juliet@capulet.lit`]);
});

it('ends a session here, or has its node do so', async () => {
  const managed = await juliet();
  requests.evict(B, SID); // it has come here
  expect([managed.stream.errors, log]).toEqual([['conflict'], []]);
  sessions.remove(managed.session);
  requests.evict(B, SID);
  requests.evict(SELF, SID);
  expect(log).toEqual([`told ${B} of ${SID}`]);
});
