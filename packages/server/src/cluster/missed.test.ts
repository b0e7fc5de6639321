import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import { message, presence, type Stanza } from '@parley/xmpp/stanza';
import { beforeEach, expect, it } from 'vitest';
import { UNORDERED } from '../session/origins.ts';
import type { Route } from '../session/session.ts';
import { Missed } from './missed.ts';

const juliet = Jid.parse('juliet@capulet.lit');
const chat = message({ to: juliet, type: 'chat' }).withOrigin({ sid: 'a', k: 7, effect: 0 });
const takers = ['1', '2'].map((sessionId) => ({ sessionId })) as Route[];

let own: string[];
let remote: string[];
let refreshed: () => void;
let refreshes: number;
let forwarded: Stanza[];
let missed: Missed;

beforeEach(() => {
  [own, remote, refreshed, refreshes, forwarded] = [[], [], () => {}, 0, []];
  missed = new Missed({
    sessions: {
      owned: ({ sessionId }) => (own.includes(sessionId) ? ({} as never) : undefined),
      remote: (sid) => (remote.includes(sid) ? ({} as never) : undefined),
    },
    async refresh() {
      refreshes++;
      refreshed();
    },
    forward: (stanza) => void forwarded.push(stanza),
    again: () => Promise.resolve(),
  });
});

it('is had by whoever took it and is still there, be it on another node', async () => {
  own = ['2'];
  await missed.by(chat, takers);
  expect(refreshes).toBe(0);
  [own, remote] = [[], ['1']];
  await missed.by(chat, takers);
  refreshed = () => {
    [own, remote] = [['1'], []]; // it has just come here
  };
  await missed.by(chat, takers);
  expect([refreshes, forwarded]).toEqual([2, []]);
});

it('goes on where those who took it are over', async () => {
  await missed.by(chat, takers);
  expect(forwarded.map(({ origin }) => origin)).toEqual([{ sid: 'a', k: 7, effect: UNORDERED }]);
  remote = ['1', '2'];
  refreshed = () => {
    if (refreshes === 1) throw new KeyspaceError('away', 'It is not there.');
    remote = [];
  };
  await missed.by(message({ to: juliet, type: 'chat' }), takers);
  expect([refreshes, forwarded[1]?.origin]).toEqual([2, undefined]);
});

it('is for one session alone, or of the moment, and does not', async () => {
  await missed.by(chat.withTo(juliet.withResource('balcony')), takers);
  await missed.by(presence({ to: juliet }), takers);
  expect(forwarded).toEqual([]);
});
