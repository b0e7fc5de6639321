import { Jid } from '@parley/xmpp/jid';
import { message } from '@parley/xmpp/stanza';
import { expect, it } from 'vitest';
import type { Session } from '../../session/session.ts';
import { SentMessages } from './sent-messages.ts';

const romeo = {} as Session;
const juliet = Jid.parse('juliet@capulet.lit');
const nurse = Jid.parse('nurse@capulet.lit');

it('knows the errors that answer a message', () => {
  const sent = new SentMessages();
  sent.add(romeo, message({ to: juliet, id: 'm1' }));
  const answers = (from: Jid | undefined, id: string | undefined, session = romeo) =>
    sent.isAnsweredBy(session, message({ from, id, type: 'error' }));
  expect(answers(juliet, 'm1')).toBe(true);
  expect(answers(juliet, 'm2')).toBe(false);
  expect(answers(nurse, 'm1')).toBe(false);
  expect(answers(juliet, undefined)).toBe(false);
  expect(answers(undefined, 'm1')).toBe(false);
  expect(answers(juliet, 'm1', {} as Session)).toBe(false);
});

it('remembers the last ones only, and none that are large', () => {
  const sent = new SentMessages();
  for (let i = 0; i < 60; i++) sent.add(romeo, message({ to: juliet, id: String(i) }));
  sent.add(romeo, message({ to: juliet, id: 'x'.repeat(1000) }));
  const known = (id: string) => sent.isAnsweredBy(romeo, message({ from: juliet, id }));
  expect(['9', '10', '59', 'x'.repeat(1000)].map(known)).toEqual([false, true, true, false]);
});
