import { Jid } from '@parley/xmpp/jid';
import { describe, expect, it } from 'vitest';
import type { Session } from '../session/session.ts';
import { PresenceStates } from './presence-states.ts';

const [one, other] = [{} as Session, {} as Session];
const romeo = Jid.parse('romeo@montague.example/orchard');

describe('the state of a session', () => {
  it('begins empty, is its own, and is gone once taken', () => {
    const states = new PresenceStates();
    expect(states.take(one)).toBeUndefined();
    states.of(one).announced = true;
    expect(states.of(one).announced).toBe(true);
    expect(states.of(other)).toEqual({ announced: false, directed: undefined, failed: undefined });
    expect(states.take(one)?.announced).toBe(true);
    expect(states.take(one)).toBeUndefined();
    expect(states.of(one).announced).toBe(false);
  });

  it('has the contacts that failed, until they recover', () => {
    const states = new PresenceStates();
    expect(states.anyFailed).toBe(false);
    states.fail(one, romeo);
    states.fail(one, Jid.parse('x@y'));
    expect(states.anyFailed).toBe(true);
    expect([...(states.of(one).failed ?? [])]).toEqual(['romeo@montague.example', 'x@y']);
    states.recover(other, romeo);
    states.recover(one, romeo.bare);
    expect([...(states.of(one).failed ?? [])]).toEqual(['x@y']);
    states.take(one);
    expect(states.anyFailed).toBe(false);
  });

  it('has the targets of directed presence', () => {
    const states = new PresenceStates();
    expect(states.direct(one, romeo, 1)).toBe(true);
    expect(states.direct(one, romeo.bare, 1)).toBe(false);
    expect([...(states.take(one)?.directed ?? [])]).toEqual([romeo]);
  });
});
