import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { type Iq, iq, type Stanza } from '@parley/xmpp/stanza';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Requests } from './requests.ts';
import type { Session } from './session.ts';

const payload = Element.of('a', 'urn:a');

function setUp() {
  const limits: string[] = [];
  const requests = new Requests(
    () => ({ pendingPerSession: 2, timeoutMs: 1000 }),
    (_, limit) => limits.push(limit),
  );
  const client = (text: string) => {
    const jid = Jid.parse(text);
    const sent: Iq[] = [];
    const send = (stanza: Stanza) => sent.push(stanza as Iq);
    return { session: { jid, account: jid.bare, send } as unknown as Session, sent };
  };
  return { limits, requests, romeo: client('romeo@a.lit/1'), juliet: client('juliet@a.lit/1') };
}

/** The condition with which a promise was rejected. */
const rejected = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error) => error.condition,
  );

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('asks in the name of the domain and takes the answer, be it good or bad', async () => {
  const { requests, romeo } = setUp();
  const answers = [requests.send(romeo.session, 'get', payload), requests.send(romeo.session, 'set', payload)];
  const [first, second] = romeo.sent as [Iq, Iq];
  expect([first.type, first.from?.toString(), first.to, first.payload]).toEqual([
    'get',
    'a.lit',
    romeo.session.jid,
    payload,
  ]);
  expect(first.id).not.toBe(second.id);
  expect(requests.answer(romeo.session, iq({ type: 'error', id: second.id }))).toBe(true);
  expect(requests.answer(romeo.session, iq({ type: 'result', id: first.id }))).toBe(true);
  expect((await Promise.all(answers)).map(({ type }) => type)).toEqual(['result', 'error']);
  expect(requests.answer(romeo.session, iq({ type: 'result', id: first.id }))).toBe(false);
});

it('takes no answer from anybody else', async () => {
  const { requests, romeo, juliet } = setUp();
  const answer = requests.send(romeo.session, 'get', payload);
  const id = romeo.sent[0]?.id;
  expect(requests.answer(juliet.session, iq({ type: 'result', id }))).toBe(false);
  expect(requests.answer(romeo.session, iq({ type: 'result', id: 'guessed' }))).toBe(false);
  expect(requests.answer(romeo.session, iq({ type: 'result', id }))).toBe(true);
  expect((await answer).type).toBe('result');
});

it('does not wait for ever, nor for any number', async () => {
  const { requests, romeo, limits } = setUp();
  const waiting = [1, 2, 3].map(() => rejected(requests.send(romeo.session, 'get', payload)));
  expect(await waiting[2]).toBe('resource-constraint');
  vi.advanceTimersByTime(1000);
  expect(await Promise.all(waiting.slice(0, 2))).toEqual(['remote-server-timeout', 'remote-server-timeout']);
  expect(limits).toEqual(['pending-iq', 'iq-time', 'iq-time']);
  expect(requests.answer(romeo.session, iq({ type: 'result', id: romeo.sent[0]?.id }))).toBe(false);
  const again = requests.send(romeo.session, 'get', payload);
  requests.answer(romeo.session, iq({ type: 'result', id: romeo.sent.at(-1)?.id }));
  expect((await again).type).toBe('result');
});

it('gives up when the session ends', async () => {
  const { requests, romeo, juliet } = setUp();
  const waiting = [
    rejected(requests.send(romeo.session, 'get', payload)),
    rejected(requests.send(romeo.session, 'get', payload)),
  ];
  const other = requests.send(juliet.session, 'get', payload);
  requests.end(romeo.session);
  expect(await Promise.all(waiting)).toEqual(['recipient-unavailable', 'recipient-unavailable']);
  expect(vi.getTimerCount()).toBe(1);
  requests.answer(juliet.session, iq({ type: 'result', id: juliet.sent[0]?.id }));
  expect((await other).type).toBe('result');
  expect(vi.getTimerCount()).toBe(0);
});
