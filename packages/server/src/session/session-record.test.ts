import { Jid } from '@parley/xmpp/jid';
import { presence } from '@parley/xmpp/stanza';
import { expect, it } from 'vitest';
import type { Session } from './session.ts';
import { recordOf } from './session-record.ts';

const session = {
  jid: Jid.parse('juliet@capulet.lit/balcony'),
  sessionId: '1'.repeat(16),
  carbons: true,
  interested: true,
  receivingSince: 5,
  presence: presence({}),
  directed: new Set([Jid.parse('nurse@capulet.lit')]),
  stream: { mechanism: 'SCRAM-SHA-256' },
  boundAt: 1_700_000_000_000,
};

it('records a session as it is', () => {
  expect(recordOf(session as unknown as Session, 3, 60)).toEqual({
    resource: 'balcony',
    sid: '1'.repeat(16),
    epoch: 3,
    maxSeconds: 60,
    carbons: true,
    interested: true,
    receiving: true,
    inactive: false,
    boundAt: 1_700_000_000_000,
    presence: '<presence/>',
    directed: ['nurse@capulet.lit'],
    mechanism: 'SCRAM-SHA-256',
  });
});

it('says whom it has told that it is there, though it is so for nobody else (RFC 6121 §4.6.3)', () => {
  const away = { ...session, presence: undefined, receivingSince: Number.POSITIVE_INFINITY };
  expect(recordOf(away as unknown as Session, 1, 0)).toMatchObject({
    receiving: false,
    presence: undefined,
    directed: ['nurse@capulet.lit'],
  });
  expect(recordOf({ ...session, directed: undefined } as unknown as Session, 1, 0).directed).toEqual([]);
});
