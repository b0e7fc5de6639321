import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { OtherNodes } from '../../session/other-nodes.ts';
import { RemoteSession } from '../../session/remote-session.ts';
import type { Session } from '../../session/session.ts';
import { Sessions } from '../../session/sessions.ts';
import { Recipients } from './recipients.ts';

const account = Jid.parse('juliet@capulet.lit');
const MINUTE = 60_000;
let sessions: Sessions;
let recipients: Recipients;

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  sessions = new Sessions();
  recipients = new Recipients(sessions, undefined, () => Promise.resolve());
});

afterEach(() => {
  vi.useRealTimers();
});

const NEVER = Number.POSITIVE_INFINITY;

function other(receivingSince: number): Session & { receivingSince: number } {
  const session = { account, sessionId: String(sessions.size), receivingSince, carbonsSince: NEVER, detached: false };
  sessions.add(session as unknown as Session);
  return session as unknown as Session & { receivingSince: number };
}

const message = (attributes = '', content = '<body/>') =>
  stanzaFromText(Buffer.from(`<message from='romeo@montague.lit/orchard' ${attributes}>${content}</message>`));
const toAccount = message(`to='juliet@capulet.lit' type='chat'`);
const toClient = message(`to='juliet@capulet.lit/balcony' type='chat'`);
const have = (stanza = toAccount, at = Date.now()) => recipients.have(stanza, account, at);

it('who was there before, and still is, has what came for the account', async () => {
  const session = other(0);
  vi.setSystemTime(MINUTE);
  expect(await Promise.all([have(), have(toClient), have(toAccount, 5000)])).toEqual([true, false, false]);
  session.receivingSince = NEVER;
  expect(await have()).toBe(false);
});

it('who has come only now, or a moment ago, may not have it', async () => {
  vi.setSystemTime(MINUTE);
  other(MINUTE);
  expect(await Promise.all([have(), have(toAccount, MINUTE + 9999), have(toAccount, MINUTE + 10_000)])).toEqual([
    false,
    false,
    true,
  ]);
});

it('who is gone has none, and nobody has what is no message', async () => {
  const session = other(0);
  vi.setSystemTime(MINUTE);
  expect(await have(stanzaFromText(Buffer.from(`<presence to='juliet@capulet.lit'/>`)))).toBe(false);
  sessions.remove(session);
  expect(await have()).toBe(false);
});

it('a session of another node counts where it is still recorded', async () => {
  const jid = account.withResource('balcony');
  const switches = { boundAt: 1, interested: false, carbonsSince: NEVER, detached: false, resumable: true };
  const state = { jid, sessionId: 'a', node: 'b', epoch: 1, presence: undefined, priority: 0, receivingSince: 0 };
  const there = new RemoteSession({ ...state, ...switches }, () => {});
  sessions.putRemote(there);
  let refreshes = 0;
  const refresh = async () => {
    refreshes++;
    if (refreshes === 2) throw new KeyspaceError('away', 'It is not there.');
    if (refreshes === 3) sessions.removeRemote(there);
  };
  recipients = new Recipients(sessions, { refresh } as Partial<OtherNodes> as OtherNodes, () => Promise.resolve());
  vi.setSystemTime(MINUTE);
  expect([await have(), await have(), await have()]).toEqual([true, false, false]);
  expect(refreshes).toBe(3);
  sessions.putRemote(there);
  other(0); // of its own this node knows
  expect([await have(), refreshes]).toEqual([true, 3]);
});

it('a session of another node counts as one of this does', async () => {
  const jid = account.withResource('balcony');
  const switches = { boundAt: 1, interested: false, carbonsSince: 0, detached: false, resumable: true };
  const state = { jid, sessionId: 'a', node: 'b', epoch: 1, presence: undefined, priority: 0, receivingSince: 0 };
  sessions.putRemote(new RemoteSession({ ...state, ...switches }, () => {}));
  vi.setSystemTime(MINUTE);
  // of a copy nobody here knows whether it was acknowledged
  expect(await Promise.all([have(), have(toClient)])).toEqual([true, false]);
});
