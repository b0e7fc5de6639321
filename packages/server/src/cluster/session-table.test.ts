import { Jid } from '@parley/xmpp/jid';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../session/session.ts';
import { Sessions } from '../session/sessions.ts';
import type { AnnouncedSession } from './announced-session.ts';
import { SessionTable } from './session-table.ts';

const juliet = Jid.parse('juliet@capulet.lit/balcony');
const NEVER = Number.POSITIVE_INFINITY;

let sessions: Sessions;
let gone: string[];
let ended: string[];
let came: string[];
let table: SessionTable;

beforeEach(() => {
  [sessions, gone, ended, came] = [new Sessions(), [], [], []];
  table = new SessionTable({
    sessions,
    end: ({ node, sessionId }) => ended.push(`${sessionId} of ${node}`),
    onGone: (account) => gone.push(account.toString()),
    onCame: ({ node, sessionId }) => came.push(`${sessionId} to ${node}`),
  });
});

const announced = (sid: string, parts: Partial<AnnouncedSession> = {}): AnnouncedSession => ({
  sid,
  epoch: 1,
  jid: juliet,
  boundAt: 1,
  priority: 0,
  interested: true,
  carbonsSince: NEVER,
  receivingSince: NEVER,
  detached: false,
  resumable: true,
  presence: undefined,
  ...parts,
});

const record = (sid: string, epoch: number) => ({
  resource: 'balcony',
  sid,
  epoch,
  maxSeconds: 60,
  carbons: true,
  interested: true,
  receiving: true,
  inactive: false,
  boundAt: 1_700_000_000_000,
  presence: `<presence><priority>3</priority></presence>`,
  directed: [],
  mechanism: 'TEST',
});

/** A session of this node. */
function own(sid: string, epoch: number) {
  const moves: string[] = [];
  const session = {
    jid: juliet,
    account: juliet.bare,
    sessionId: sid,
    backlog: { epoch },
    interested: true,
    carbonsSince: NEVER,
    receivingSince: 5,
    priority: 3,
    moves,
    moved(reason: string) {
      moves.push(reason);
      sessions.remove(session as unknown as Session);
    },
  };
  sessions.add(session as unknown as Session);
  return session;
}

const nodeOf = (sid: string) => sessions.remote(sid)?.node;

describe('what a node announces', () => {
  it('is found, as it was told last', () => {
    table.put('b', announced('1', { presence: '<presence><show>away</show></presence>', receivingSince: 7 }));
    expect(sessions.get(juliet)).toMatchObject({ node: 'b', available: true, receivingSince: 7, resumable: true });
    table.put('b', announced('1', { detached: true }));
    expect(sessions.get(juliet)).toMatchObject({ available: false, detached: true });
    expect(gone).toEqual(['juliet@capulet.lit']); // it gets no messages any more
    sessions.remote('1')?.end();
    expect(ended).toEqual(['1 of b']);
    table.remove('c', '1'); // it is not that one's
    expect(nodeOf('1')).toBe('b');
    table.remove('b', '1');
    table.remove('b', '1');
    expect([sessions.get(juliet), gone.length]).toEqual([undefined, 2]);
  });

  it('is believed where its epoch is later than what others say', () => {
    table.put('b', announced('1', { epoch: 3 }));
    table.put('c', announced('1', { epoch: 2 }));
    table.put('c', announced('1', { epoch: 3 }));
    expect(nodeOf('1')).toBe('b');
    table.put('c', announced('1', { epoch: 4 }));
    expect(nodeOf('1')).toBe('c');
    table.put('c', announced('1', { epoch: 2 })); // of itself it knows best
    expect(sessions.remote('1')?.epoch).toBe(2);
    expect(came).toEqual(['1 to b', '1 to c']);
  });

  it('takes a session of this node away where it is a later one, and not otherwise', () => {
    const session = own('1', 2);
    table.put('b', announced('1', { epoch: 2 }));
    expect([session.moves, nodeOf('1')]).toEqual([[], undefined]);
    table.put('b', announced('1', { epoch: 3 }));
    expect([session.moves, nodeOf('1')]).toEqual([['another node has it'], 'b']);
  });

  it('as a whole replaces all that was known of it', () => {
    for (const sid of ['1', '2']) table.put('b', announced(sid));
    table.put('c', announced('3'));
    table.reset('b', [announced('2'), announced('4')]);
    expect([...sessions.allRemote].map(({ sessionId }) => sessionId)).toEqual(['2', '3', '4']);
  });
});

it('of a node that is gone, what can be resumed stays until somebody has it', () => {
  table.put('b', announced('1'));
  table.put('b', announced('2', { resumable: false, epoch: 0 }));
  table.put('c', announced('3', { resumable: false, epoch: 0 }));
  expect(table.onNodeGone('b').map(({ sessionId }) => sessionId)).toEqual(['2']);
  expect([nodeOf('1'), nodeOf('3'), gone.length]).toEqual(['b', 'c', 1]);
  table.put('c', announced('1', { epoch: 2 }));
  table.onReaped('b');
  expect(nodeOf('1')).toBe('c');
  table.onReaped('c');
  expect([...sessions.allRemote]).toEqual([]);
});

it('a session that has left is with whom it was left to, until something is heard of it', () => {
  const session = own('1', 2);
  session.moved('it is resumed on another node');
  table.left(session as unknown as Session, 'b');
  expect(sessions.remote('1')).toMatchObject({ node: 'b', epoch: 2, detached: true, receivingSince: 5 });
  table.put('c', announced('1', { epoch: 2 })); // late
  expect(nodeOf('1')).toBe('b');
  table.over('1');
  table.over('1');
  expect([sessions.remote('1'), gone.length]).toEqual([undefined, 1]);
});

it('what is recorded is shown, where nobody has announced anything later', () => {
  table.recorded(juliet, record('1', 4), 'b');
  expect(sessions.remote('1')).toMatchObject({ node: 'b', epoch: 4, priority: 3, carbons: true, available: true });
  table.put('c', announced('1', { epoch: 5 }));
  table.recorded(juliet, record('1', 4), 'b');
  expect(nodeOf('1')).toBe('c');
  table.recorded(juliet, { ...record('2', 1), maxSeconds: 0 }, 'b');
  expect(sessions.remote('2')).toMatchObject({ resumable: false, epoch: 0 });
  own('3', 1);
  table.recorded(juliet, record('3', 1), 'b');
  expect(sessions.remote('3')).toBeUndefined();
});

it('says when sessions were bound: the last one with a full JID is found, however the others were heard of', () => {
  table.put('b', announced('1', { boundAt: 7 }));
  table.recorded(juliet, { ...record('2', 1), boundAt: 8 }, 'c');
  table.put('d', announced('3', { boundAt: 6 }));
  expect(sessions.get(juliet)).toMatchObject({ sessionId: '2', node: 'c', boundAt: 8 });
  const here = Object.assign(own('4', 1), { boundAt: 9 });
  expect(sessions.get(juliet)).toBe(here);
  here.moved('it leaves');
  table.left(here as unknown as Session, 'd');
  expect(sessions.get(juliet)).toMatchObject({ sessionId: '4', node: 'd', boundAt: 9 });
});
