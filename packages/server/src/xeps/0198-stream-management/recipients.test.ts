import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
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
  recipients = new Recipients(sessions);
});

afterEach(() => {
  vi.useRealTimers();
});

function other(parts: object = {}): Session & { priority: number; available: boolean } {
  const defaults = { available: true, priority: 0, carbonsSince: Number.POSITIVE_INFINITY, detached: false };
  const session = { account, sessionId: String(sessions.size), ...defaults, ...parts };
  sessions.add(session as unknown as Session);
  return session as unknown as Session & { priority: number; available: boolean };
}

const message = (attributes = '', content = '<body/>') =>
  stanzaFromText(Buffer.from(`<message from='romeo@montague.lit/orchard' ${attributes}>${content}</message>`));
const toAccount = message(`to='juliet@capulet.lit' type='chat'`);
const toClient = message(`to='juliet@capulet.lit/balcony' type='chat'`);
const have = (stanza = toAccount, at = Date.now()) => recipients.have(stanza, account, at);

it('who was there before, and still is, has what came for the account', () => {
  const session = other();
  recipients.available(session);
  vi.setSystemTime(MINUTE);
  expect([have(), have(toClient), have(toAccount, 5000)]).toEqual([true, false, false]);
  recipients.available(session); // another presence changes nothing
  expect(have()).toBe(true);
  recipients.unavailable(session);
  expect(have()).toBe(false);
});

it('who has come only now, or a moment ago, may not have it', () => {
  vi.setSystemTime(MINUTE);
  recipients.available(other());
  expect([have(), have(toAccount, MINUTE + 9999), have(toAccount, MINUTE + 10_000)]).toEqual([false, false, true]);
});

it('who gets no messages for the account has none', () => {
  const session = other({ priority: -1 });
  recipients.available(session);
  vi.setSystemTime(MINUTE);
  expect(have()).toBe(false);
  session.priority = 0;
  recipients.available(session);
  vi.setSystemTime(2 * MINUTE);
  expect(have()).toBe(true);
  session.priority = -1;
  recipients.available(session);
  expect(have()).toBe(false);
});

it('who is gone has none, and nobody has what is no message', () => {
  const session = other();
  recipients.available(session);
  vi.setSystemTime(MINUTE);
  expect(have(stanzaFromText(Buffer.from(`<presence to='juliet@capulet.lit'/>`)))).toBe(false);
  sessions.remove(session);
  expect(have()).toBe(false);
});

it.each([
  ['wanted copies all the time', {}, toClient, true],
  ['wanted copies, of what came for the account, too', {}, toAccount, true],
  ['wants copies only now', { carbonsSince: MINUTE }, toClient, false],
  ['waits for its client', { detached: true }, toClient, false],
  ['has not acknowledged what came then', { management: { unacknowledgedSince: MINUTE } }, toClient, false],
  ['has not acknowledged what came later', { management: { unacknowledgedSince: MINUTE + 1 } }, toClient, true],
  ['has acknowledged everything', { management: { unacknowledgedSince: undefined } }, toClient, true],
  ['gets no copies of other messages', {}, message(`to='juliet@capulet.lit/balcony'`), false],
  [
    'gets no copies of private messages',
    {},
    message(`to='juliet@capulet.lit/balcony' type='chat'`, `<private xmlns='${NS.carbons}'/>`),
    false,
  ],
  [
    'gets no copies against the sender’s will',
    {},
    message(`to='juliet@capulet.lit/balcony' type='chat'`, `<no-copy xmlns='${NS.hints}'/>`),
    false,
  ],
  [
    'gets no copies of what is said in private in a room',
    {},
    message(`to='juliet@capulet.lit/balcony' type='chat'`, `<x xmlns='${NS.mucUser}'/>`),
    false,
  ],
])('who %s', (_, parts, stanza, expected) => {
  vi.setSystemTime(MINUTE);
  other({ carbonsSince: 0, available: false, ...parts });
  expect(have(stanza)).toBe(expected);
});
