import { Jid } from '@parley/xmpp/jid';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RemoteSession } from './remote-session.ts';
import type { Session } from './session.ts';
import { Sessions } from './sessions.ts';

let serial = 0;

/** A session of another node. */
function remote(text: string, parts: Partial<RemoteSession> = {}): RemoteSession {
  const rest = { presence: undefined, priority: 0, interested: false, detached: false, resumable: true };
  const since = { carbonsSince: Number.POSITIVE_INFINITY, receivingSince: Number.POSITIVE_INFINITY };
  const state = {
    jid: Jid.parse(text),
    sessionId: String(++serial),
    node: 'b',
    epoch: 1,
    boundAt: 1,
    ...rest,
    ...since,
    ...parts,
  };
  return new RemoteSession(state, () => {});
}

/** As much of a session as the table needs. */
function session(text: string): Session {
  const jid = Jid.parse(text);
  return { jid, account: jid.bare, sessionId: String(++serial) } as unknown as Session;
}

describe('Sessions', () => {
  it('finds sessions by account, by full JID and by route, the oldest first', () => {
    const sessions = new Sessions();
    const [balcony, chamber, orchard] = ['juliet@a.lit/balcony', 'juliet@a.lit/chamber', 'romeo@a.lit/orchard'].map(
      session,
    ) as [Session, Session, Session];
    for (const each of [balcony, chamber, orchard]) sessions.add(each);
    expect(sessions.of(Jid.parse('juliet@a.lit/anything'))).toEqual([balcony, chamber]);
    expect(sessions.get(Jid.parse('juliet@a.lit/chamber'))).toBe(chamber);
    expect(sessions.get(Jid.parse('juliet@a.lit/Chamber'))).toBeUndefined();
    expect(sessions.get(Jid.parse('nurse@a.lit/kitchen'))).toBeUndefined();
    expect(sessions.owned(orchard)).toBe(orchard);
    expect([sessions.size, sessions.accounts, [...sessions].length]).toEqual([3, 2, 3]);
  });

  it('of several with one full JID finds the one that was bound last', () => {
    const sessions = new Sessions();
    const stale = remote('juliet@a.lit/balcony', { boundAt: 5 });
    const here = Object.assign(session('juliet@a.lit/balcony'), { boundAt: 7 });
    const early = remote('juliet@a.lit/balcony', { boundAt: 6 });
    sessions.putRemote(stale);
    sessions.add(here);
    sessions.putRemote(early);
    expect(sessions.get(here.jid)).toBe(here);
    sessions.remove(here);
    expect(sessions.get(here.jid)).toBe(early);
  });

  it("counts what goes to other servers among nobody's sessions", () => {
    const sessions = new Sessions();
    const queue = session('remote.example/a.lit');
    sessions.add(queue);
    expect([sessions.size, sessions.accounts, [...sessions], sessions.all]).toEqual([0, 0, [], [queue]]);
    expect([sessions.owned(queue), sessions.get(queue.jid)]).toEqual([queue, queue]);
    sessions.remove(queue);
    expect([sessions.owned(queue), sessions.all]).toEqual([undefined, []]);
    const elsewhere = remote('remote.example/a.lit');
    sessions.putRemote(elsewhere);
    sessions.putRemote(remote('juliet@a.lit/chamber'));
    expect([sessions.elsewhere, sessions.get(queue.jid)]).toEqual([1, elsewhere]);
    sessions.removeRemote(elsewhere);
    expect(sessions.elsewhere).toBe(1);
  });

  it('knows which sessions a client may resume, wherever they are', () => {
    const sessions = new Sessions();
    const managed = (text: string, resumable: boolean) => Object.assign(session(text), { management: { resumable } });
    const [plain, unresumable, resumable] = [session('a@x/1'), managed('a@x/2', false), managed('b@x/1', true)];
    const elsewhere = [remote('c@x/1', { resumable: false }), remote('d@x/1')] as const;
    for (const own of [plain, unresumable, resumable]) sessions.add(own);
    for (const other of elsewhere) sessions.putRemote(other);
    const all = [plain, unresumable, resumable, ...elsewhere];
    const canResume = all.filter(({ jid, sessionId }) => sessions.canResume(jid.bare, sessionId));
    expect(canResume).toEqual([resumable, elsewhere[1]]);
    expect(sessions.canResume(plain.jid.bare, resumable.sessionId)).toBe(false); // that of somebody else
  });

  it('keeps a list that somebody goes through as it is', () => {
    const sessions = new Sessions();
    const balcony = session('juliet@a.lit/balcony');
    sessions.add(balcony);
    const list = sessions.of(balcony.jid);
    sessions.add(session('juliet@a.lit/chamber'));
    sessions.remove(balcony);
    expect(list).toEqual([balcony]);
  });

  it('forgets a session that another of the same name has replaced, and only that', () => {
    const sessions = new Sessions();
    const [older, newer] = [session('juliet@a.lit/balcony'), session('juliet@a.lit/balcony')];
    sessions.add(older);
    sessions.add(newer);
    sessions.remove(older);
    sessions.remove(older);
    expect([sessions.get(newer.jid), sessions.owned(older), sessions.size]).toEqual([newer, undefined, 1]);
  });

  it('holds nothing once all are gone, in whatever order', () => {
    const names = fc.constantFrom('a@x/1', 'a@x/2', 'b@x/1', 'b@y/1', '__proto__@x/constructor');
    fc.assert(
      fc.property(fc.array(names, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (list, order) => {
        const sessions = new Sessions();
        const open = list.map(session);
        for (const each of open) sessions.add(each);
        expect(sessions.size).toBe(open.length);
        while (open.length > 0) {
          const [gone] = open.splice((order.next().value as number) % open.length, 1) as [Session];
          sessions.remove(gone);
          expect(sessions.owned(gone)).toBeUndefined();
          expect(sessions.of(gone.jid)).toEqual(open.filter(({ account }) => account.equals(gone.account)));
        }
        expect([sessions.size, sessions.accounts]).toEqual([0, 0]);
      }),
      { numRuns: 1000 },
    );
  });

  it('is not confused by what a session was before it came back under the same id', () => {
    const sessions = new Sessions();
    const [before, after] = [session('juliet@a.lit/balcony'), session('juliet@a.lit/balcony')];
    (after as { sessionId: string }).sessionId = before.sessionId;
    sessions.add(before);
    sessions.add(after);
    sessions.remove(before);
    expect([sessions.owned(after), sessions.of(after.jid)]).toEqual([after, [after]]);
  });
});

describe('sessions of other nodes', () => {
  it('are among those of an account, and not among those here', () => {
    const sessions = new Sessions();
    const here = session('juliet@a.lit/balcony');
    const there = remote('juliet@a.lit/chamber');
    sessions.putRemote(there);
    sessions.add(here);
    expect([sessions.of(here.account), sessions.here(here.account), [...sessions]]).toEqual([
      [there, here],
      [here],
      [here],
    ]);
    expect([sessions.size, sessions.accounts, [...sessions.allRemote]]).toEqual([1, 1, [there]]);
    expect(sessions.get(there.jid)).toBe(there);
    expect([sessions.owned(there), sessions.remote(there.sessionId)]).toEqual([undefined, there]);
  });

  it('keep their places when something of them changes', () => {
    const sessions = new Sessions();
    const [first, second] = [remote('juliet@a.lit/1'), remote('juliet@a.lit/2')];
    sessions.putRemote(first);
    sessions.putRemote(second);
    const list = sessions.of(first.jid);
    const changed = remote('juliet@a.lit/1', { sessionId: first.sessionId, node: 'c' });
    sessions.putRemote(changed);
    expect([sessions.of(first.jid), list]).toEqual([
      [changed, second],
      [first, second],
    ]);
    sessions.removeRemote(first); // what it was is not what it is
    expect(sessions.remote(first.sessionId)).toBe(changed);
    sessions.removeRemote(changed);
    sessions.removeRemote(second);
    expect([sessions.of(first.jid), [...sessions.allRemote]]).toEqual([[], []]);
  });

  it('are gone when they come here', () => {
    const sessions = new Sessions();
    const there = remote('juliet@a.lit/balcony');
    sessions.putRemote(there);
    const here = session('juliet@a.lit/balcony');
    (here as { sessionId: string }).sessionId = there.sessionId;
    sessions.add(here);
    expect([sessions.remote(there.sessionId), sessions.of(here.jid), sessions.owned(there)]).toEqual([
      undefined,
      [here],
      here,
    ]);
  });

  it('say of themselves what is known, and have their owner end them', () => {
    const ended: unknown[] = [];
    const known = remote('juliet@a.lit/balcony', { carbonsSince: 5 });
    const there = new RemoteSession(known, (...all) => ended.push(all));
    expect(there).toMatchObject({ available: false, carbons: true, account: Jid.parse('juliet@a.lit') });
    expect(remote('juliet@a.lit/balcony').carbons).toBe(false);
    there.end();
    expect(ended).toEqual([[there, undefined]]);
  });
});
