import { Jid } from '@parley/xmpp/jid';
import { presence, type Stanza } from '@parley/xmpp/stanza';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Router } from '../routing/router.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import { PresenceBroadcast } from './presence-broadcast.ts';

const juliet = Jid.parse('juliet@capulet.example');
const romeo = Jid.parse('romeo@montague.example');
const nurse = Jid.parse('nurse@capulet.example');

let routed: string[];
let wait: Promise<void> | undefined;
let sessions: Map<string, Session[]>;
let broadcast: PresenceBroadcast;

const session = (jid: string, available = true) => {
  const full = Jid.parse(jid);
  return { jid: full, available, presence: available ? presence({ from: full, id: 'last' }) : undefined } as Session;
};

beforeEach(() => {
  routed = [];
  wait = undefined;
  sessions = new Map([
    [juliet.bareText, [session(`${juliet}/a`), session(`${juliet}/b`, false), session(`${juliet}/c`)]],
  ]);
  const router = {
    route(stanza: Stanza) {
      routed.push([stanza.from, stanza.type ?? stanza.id, stanza.to].join(' '));
      return wait;
    },
  };
  broadcast = new PresenceBroadcast({
    router: router as unknown as Router,
    sessions: { of: (account: Jid) => sessions.get(account.bareText) ?? [] } as unknown as Sessions,
    isLocal: ({ domain }) => domain === 'capulet.example',
  });
});

const stanza = presence({ from: juliet.withResource('a'), id: 'x' });

describe('presence', () => {
  it('goes to other servers, and to accounts here that have sessions', () => {
    for (const to of [romeo, nurse, juliet]) broadcast.send(juliet, stanza, to);
    expect(routed).toEqual([`${juliet}/a x ${romeo}`, `${juliet}/a x ${juliet}`]);
  });

  it('goes where all rules allow it', () => {
    broadcast.addRule((account, to) => account.equals(juliet) && !to.equals(romeo));
    broadcast.addRule((_, to) => to.domain !== 'verona.example');
    for (const to of ['romeo@montague.example', 'paris@verona.example', 'benvolio@montague.example']) {
      broadcast.send(juliet, stanza, Jid.parse(to));
    }
    expect(routed).toEqual([`${juliet}/a x benvolio@montague.example`]);
  });
});

describe('a contact', () => {
  it('gets the presence of all available resources', () => {
    expect(broadcast.announce(juliet, romeo)).toBeUndefined();
    expect(routed).toEqual([`${juliet}/a last ${romeo}`, `${juliet}/c last ${romeo}`]);
  });

  it('loses them all', () => {
    broadcast.withdraw(juliet, romeo);
    expect(routed).toEqual([`${juliet}/a unavailable ${romeo}`, `${juliet}/c unavailable ${romeo}`]);
  });

  it('is waited for where that takes time', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    wait = promise;
    const sent = broadcast.announce(juliet, romeo);
    expect(sent).toBeInstanceOf(Promise);
    resolve();
    await sent;
  });
});
