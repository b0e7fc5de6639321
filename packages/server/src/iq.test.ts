import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { iq } from '@parley/xmpp/stanza';
import { describe, expect, it } from 'vitest';
import { IqTable } from './iq.ts';

const juliet = Jid.parse('juliet@capulet.lit');
const domain = Jid.parse('capulet.lit');
const balcony = juliet.withResource('balcony');
const nurse = Jid.parse('nurse@capulet.lit/kitchen');
const romeo = Jid.parse('romeo@montague.lit/orchard');
const table = () => new IqTable((jid) => jid.domain === 'capulet.lit');

const request = (from: Jid | undefined, type: string, name = 'query', ns = 'urn:a') =>
  iq({ id: '1', type, from }, Element.of(name, ns));

describe('IqTable', () => {
  it('finds a handler by type, place, namespace and name', () => {
    const t = table();
    const answer = Element.of('answer', 'urn:a');
    t.get(
      'urn:a',
      'query',
      (_, context) => {
        expect([context.at, context.to, context.from, context.payload.name]).toEqual([
          'domain',
          domain,
          balcony,
          'query',
        ]);
        return answer;
      },
      { at: ['domain'] },
    );
    expect(t.handle(request(balcony, 'get'), 'domain', domain, undefined)).toBe(answer);
    for (const [stanza, at, to] of [
      [request(balcony, 'set'), 'domain', domain],
      [request(balcony, 'get', 'other'), 'domain', domain],
      [request(balcony, 'get', 'query', 'urn:b'), 'domain', domain],
      [request(balcony, 'get'), 'account', juliet],
      [request(undefined, 'get'), 'domain', domain],
      [iq({ id: '1', type: 'get', from: balcony }), 'domain', domain],
    ] as const) {
      expect(() => t.handle(stanza, at, to, undefined)).toThrow(
        expect.objectContaining({ condition: 'service-unavailable' }),
      );
    }
  });

  it('knows no name that was not added', () => {
    const t = table();
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(() => t.handle(request(balcony, 'get', name, name), 'domain', domain, undefined)).toThrow();
    }
  });

  it('has one handler for each', () => {
    const t = table();
    t.get('urn:a', 'query', () => undefined, { at: ['domain'] });
    t.get('urn:a', 'query', () => undefined, { at: ['account'] });
    t.set('urn:a', 'query', () => undefined, { at: ['domain', 'account'] });
    expect(() => t.get('urn:a', 'query', () => undefined, { at: ['account'] })).toThrow('two handlers');
  });

  // who may ask: the owner from another session, somebody of this server, somebody of another server
  it.each([
    ['account', undefined, [true, false, false]],
    ['account', 'owner', [true, false, false]],
    ['account', 'local', [true, true, false]],
    ['account', 'anyone', [true, true, true]],
    ['domain', undefined, [true, true, false]],
    ['domain', 'local', [true, true, false]],
    ['domain', 'anyone', [true, true, true]],
  ] as const)('at the %s, %s may ask', (at, allow, expected) => {
    const t = table();
    t.get('urn:a', 'query', () => undefined, allow === undefined ? { at: [at] } : { at: [at], allow });
    const asked = [balcony, nurse, romeo].map((from) => {
      try {
        t.handle(request(from, 'get'), at, at === 'domain' ? domain : juliet, undefined);
        return true;
      } catch {
        return false;
      }
    });
    expect(asked).toEqual(expected);
  });
});
