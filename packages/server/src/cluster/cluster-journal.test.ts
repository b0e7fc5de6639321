import { setImmediate as nextTurn } from 'node:timers/promises';
import { Jid } from '@parley/xmpp/jid';
import { message, presence, type Stanza } from '@parley/xmpp/stanza';
import { beforeEach, describe, expect, it } from 'vitest';
import { STORED, UNORDERED } from '../session/origins.ts';
import { RemoteSession } from '../session/remote-session.ts';
import type { Route, Session } from '../session/session.ts';
import { Sessions } from '../session/sessions.ts';
import { ClusterJournal } from './cluster-journal.ts';
import { RemoteDelivery } from './remote-delivery.ts';

const SELF = '0'.repeat(16);
const B = 'b'.repeat(16);
const juliet = Jid.parse('juliet@capulet.lit');

let sessions: Sessions;
let sent: string[];
let missed: string[];
let owner: string | undefined;
let remote: RemoteDelivery;
let journal: ClusterJournal;

beforeEach(() => {
  sessions = new Sessions();
  sent = [];
  owner = B;
  remote = new RemoteDelivery({
    self: SELF,
    send: (to) => void sent.push(to),
    isAlive: () => true,
    waiting: () => 0,
    own: (sid) => sessions.owned({ sessionId: sid }),
    ownerOf: async () => owner,
    again: () => nextTurn(),
    onOver() {},
    onUnreadable: (error) => expect.fail(String(error)),
  });
  missed = [];
  const by = async ({ id }: Stanza, takers: readonly Route[]) =>
    void missed.push(`${id} taken by ${takers.map(({ sessionId }) => sessionId[0])}`);
  journal = new ClusterJournal(sessions, remote, { by });
});

/** A session of this node, whose journal commits when the test says so. */
function own(sid: string, resumable = true) {
  const session = {
    jid: juliet.withResource(sid),
    account: juliet,
    sessionId: sid.repeat(16),
    backlog: { resumable },
    ended: false,
    movedAway: false,
    available: true,
    priority: 0,
    got: [] as Stanza[],
    commits: [] as (() => void)[],
    missed: false,
    mayMiss: () => session.missed,
    send(stanza: Stanza): void | Promise<void> {
      session.got.push(stanza);
      if (resumable && !session.missed) return new Promise((resolve) => session.commits.push(resolve));
    },
  };
  sessions.add(session as unknown as Session);
  return session;
}

function there(sid: string): RemoteSession {
  const since = { carbonsSince: Number.POSITIVE_INFINITY, receivingSince: Number.POSITIVE_INFINITY };
  const state = { presence: undefined, priority: 0, interested: false, detached: false, resumable: true, ...since };
  const jid = juliet.withResource(sid);
  const session = new RemoteSession(
    { jid, sessionId: sid.repeat(16), node: B, epoch: 1, boundAt: 1, ...state },
    () => {},
  );
  sessions.putRemote(session);
  return session;
}

const chat = (name: string) => message({ to: juliet, id: name, type: 'chat' });

/** Resolves with the sessions that are gone. */
const append = (targets: readonly unknown[], stanza: Stanza) =>
  new Promise<readonly Route[]>((resolve) => journal.append(targets as Route[], stanza, resolve));

describe('a stanza', () => {
  it('is done at once where nothing has to be committed', () => {
    const session = own('1', false);
    let gone: readonly Route[] | undefined;
    journal.append([session as unknown as Route], chat('1'), (none) => {
      gone = none;
    });
    expect([gone, session.got.map(({ id, origin }) => [id, origin])]).toEqual([[], [['1', undefined]]]);
  });

  it('goes to the sessions here and to those of others, and is done when all have taken it', async () => {
    const [here, elsewhere] = [own('1'), there('2')];
    let gone: readonly Route[] | undefined;
    void append([here, elsewhere], chat('1')).then((none) => {
      gone = none;
    });
    expect([sent, here.got.map(({ origin }) => origin)]).toEqual([[B], [{ sid: SELF, k: 1, effect: UNORDERED }]]);
    here.commits.shift()?.();
    await nextTurn();
    expect(gone).toBeUndefined();
    remote.onAnswer(B, 3, true);
    await nextTurn();
    expect(gone).toEqual([]);
  });

  it('tells of those that are gone', async () => {
    const session = own('1', false);
    const elsewhere = there('2');
    sessions.remove(session as unknown as Session);
    sessions.removeRemote(elsewhere);
    owner = undefined;
    remote.hold(elsewhere.sessionId);
    expect(await append([session, elsewhere], chat('1'))).toEqual([session, elsewhere]);
    expect(missed).toEqual([]);
  });

  it('that one of several sessions missed is looked after before it is done', async () => {
    const [here, elsewhere] = [own('1', false), there('2')];
    sessions.removeRemote(elsewhere);
    owner = undefined;
    remote.hold(elsewhere.sessionId);
    expect([await append([here, elsewhere], chat('1')), missed]).toEqual([[elsewhere], ['1 taken by 1']]);
  });

  it('follows a session that has moved since it was chosen, to whoever has it', async () => {
    const chosen = there('2');
    const here = own('2');
    const done = append([chosen], chat('1'));
    here.commits.shift()?.();
    expect([await done, here.got.length, sent]).toEqual([[], 1, []]);
    const before = own('3');
    sessions.remove(before as unknown as Session);
    there('3');
    void append([before], presence({ to: juliet }));
    expect(sent).toEqual([B]);
  });

  it('that was being taken while its session left goes after it, before what came later', async () => {
    const here = own('1');
    const first = append([here], chat('1'));
    here.movedAway = here.ended = true;
    sessions.remove(here as unknown as Session);
    const chosen = there('1');
    remote.hold(chosen.sessionId);
    const second = append([chosen], chat('2'));
    await nextTurn();
    expect(sent).toEqual([]);
    here.commits.shift()?.();
    await expect.poll(() => sent).toEqual([B, B]);
    for (let id = 1; id < 10; id++) remote.onAnswer(B, id, true);
    expect(await Promise.all([first, second])).toEqual([[], []]);
  });

  it('that follows a session which gets no messages for the account any more is not for that one', async () => {
    const chosen = there('2');
    const here = own('2');
    here.available = false;
    remote.hold(here.sessionId);
    const stored = chat('2').withOrigin({ sid: 'a', k: 1, effect: STORED });
    const all = [chat('1'), stored, chat('3').withTo(here.jid)].map((stanza) => append([chosen], stanza));
    await expect.poll(() => here.commits.length).toBe(1);
    here.commits.shift()?.();
    await expect.poll(() => here.commits.length).toBe(1);
    here.commits.shift()?.();
    expect([await Promise.all(all), here.got.map(({ id }) => id)]).toEqual([
      [[chosen], [], []],
      ['2', '3'],
    ]);
  });

  it('is in nobody’s way while a session has it that gets no messages for the account any more', async () => {
    const chosen = there('2');
    const here = own('2');
    remote.hold(here.sessionId);
    const first = append([chosen], chat('1'));
    await expect.poll(() => here.commits.length).toBe(1);
    remote.changed(here); // something else
    const second = append([here], chat('2').withTo(here.jid));
    await nextTurn();
    expect(here.commits).toHaveLength(1);
    here.available = false;
    remote.changed(here);
    await expect.poll(() => here.got.map(({ id }) => id)).toEqual(['1', '2']);
    for (const commit of here.commits.splice(0).reverse()) commit();
    expect(await Promise.all([first, second])).toEqual([[], []]);
    expect([remote.size, remote.sought]).toEqual([0, 0]);
  });

  it('is handed over as it is, where nobody was promised that it gets there', async () => {
    const here = own('2');
    const first = append([here], chat('1'));
    here.missed = true;
    expect(await append([here], chat('2'))).toEqual([]);
    expect(here.got.map(({ origin }) => origin === undefined)).toEqual([false, true]);
    here.commits.shift()?.();
    expect(await first).toEqual([]);
  });

  it('is not waited for, where it may be routed anew, by what is for a session that has moved since', async () => {
    const here = own('2');
    const first = append([here], chat('1'));
    here.available = false;
    remote.changed(here as unknown as Session);
    sessions.remove(here as unknown as Session);
    const second = append([there('2')], chat('2').withTo(here.jid));
    await nextTurn();
    expect(sent).toEqual([B]);
    here.commits.shift()?.();
    remote.onAnswer(B, 3, true);
    expect(await Promise.all([first, second])).toEqual([[], []]);
  });

  it('follows a session that moves, though it was in nobody’s way any more', async () => {
    const chosen = there('2');
    const here = own('2');
    remote.hold(here.sessionId);
    const first = append([chosen], chat('1'));
    await expect.poll(() => here.commits.length).toBe(1);
    here.available = false;
    remote.changed(here);
    await nextTurn();
    here.movedAway = true;
    here.ended = true;
    here.commits.shift()?.();
    await expect.poll(() => remote.sought).toBe(1);
    here.movedAway = here.ended = false; // it comes back
    here.available = true;
    await expect.poll(() => here.commits.length).toBe(1);
    here.commits.shift()?.();
    expect(await first).toEqual([]);
  });

  it('does not overtake what went to the node that had its session before', async () => {
    const elsewhere = there('1');
    const first = append([elsewhere], chat('1'));
    const here = own('1');
    const second = append([here], chat('2'));
    expect(here.got).toEqual([]);
    remote.onAnswer(B, 2, false);
    await expect.poll(() => here.got.map(({ id }) => id)).toEqual(['1']);
    here.commits.shift()?.();
    await expect.poll(() => here.got.map(({ id }) => id)).toEqual(['1', '2']);
    here.commits.shift()?.();
    expect(await Promise.all([first, second])).toEqual([[], []]);
  });
});
