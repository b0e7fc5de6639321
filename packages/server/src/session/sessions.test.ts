import { Jid } from '@parley/xmpp/jid';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Session } from './session.ts';
import { Sessions } from './sessions.ts';

let serial = 0;

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
});
