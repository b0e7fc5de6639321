import { Jid } from '@parley/xmpp/jid';
import { message, type Stanza } from '@parley/xmpp/stanza';
import { expect, it } from 'vitest';
import { deliver } from '../routing/deliver.ts';
import { DirectJournal, type Journal } from './journal.ts';
import type { Route, Session } from './session.ts';
import { Sessions } from './sessions.ts';

function setUp() {
  const sessions = new Sessions();
  const got: string[] = [];
  const open = (resource: string) => {
    const jid = Jid.parse(`juliet@a.lit/${resource}`);
    const send = (stanza: Stanza) => got.push(`${resource}: ${stanza.id}`);
    const session = { jid, account: jid.bare, sessionId: resource, send } as unknown as Session;
    sessions.add(session);
    return session;
  };
  return { sessions, got, open, journal: new DirectJournal(sessions) };
}

const hello = message({ id: 'hello' });

it('writes to every session that is here and names those that are gone, in the same turn', () => {
  const { sessions, got, open, journal } = setUp();
  const [a, b, c] = [open('a'), open('b'), open('c')];
  sessions.remove(b);
  const gone: (readonly Route[])[] = [];
  journal.append([a, b, c], hello, (list) => gone.push(list));
  expect([got, gone]).toEqual([['a: hello', 'c: hello'], [[b]]]);
  journal.append([a], hello, (list) => gone.push(list));
  expect(gone[1]).toEqual([]);
});

it('a delivery is taken where one session at least took it', () => {
  const { sessions, open, journal } = setUp();
  const [a, b] = [open('a'), open('b')];
  sessions.remove(a);
  expect(deliver(journal, [a, b], hello)).toBe(true);
  expect(deliver(journal, [a], hello)).toBe(false);
  expect(deliver(journal, [], hello)).toBe(false);
});

it('a delivery waits for the commit where the journal does', async () => {
  const { open } = setUp();
  const session = open('a');
  const commits: ((gone: readonly Route[]) => void)[] = [];
  const journal: Journal = { append: (_, __, done) => commits.push(done) };
  const taken = [deliver(journal, [session], hello), deliver(journal, [session], hello)];
  expect(taken.every((each) => each instanceof Promise)).toBe(true);
  commits[1]?.([session]);
  commits[0]?.([]);
  expect(await Promise.all(taken)).toEqual([true, false]);
});
