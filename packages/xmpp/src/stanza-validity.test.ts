import { describe, expect, it } from 'vitest';
import { Element } from './element.ts';
import { iq, message, presence, type Stanza } from './stanza.ts';
import { checkStanza } from './stanza-validity.ts';

const a = Element.of('a', 'urn:a');
const b = Element.of('b', 'urn:b');

const verdict = (stanza: Stanza) => {
  try {
    checkStanza(stanza);
    return 'ok';
  } catch (error) {
    return (error as { condition: string }).condition;
  }
};

describe('checkStanza', () => {
  // RFC 6120 §8.2.3: no child, white space only, one child, two children
  it.each([
    ['get', 'bad-request', 'bad-request', 'ok', 'bad-request'],
    ['set', 'bad-request', 'bad-request', 'ok', 'bad-request'],
    ['result', 'ok', 'ok', 'ok', 'bad-request'],
    ['error', 'ok', 'ok', 'ok', 'ok'],
    ['GET', 'bad-request', 'bad-request', 'bad-request', 'bad-request'],
    ['', 'bad-request', 'bad-request', 'bad-request', 'bad-request'],
    [undefined, 'bad-request', 'bad-request', 'bad-request', 'bad-request'],
  ])('an iq of type %s', (type, ...expected) => {
    const parts = { id: '1', type };
    expect([iq(parts), iq(parts, ' \n'), iq(parts, ' ', a, ' '), iq(parts, a, b)].map(verdict)).toEqual(expected);
  });

  it('an iq without an id', () => {
    expect(verdict(iq({ type: 'get' }, a))).toBe('bad-request');
    expect(verdict(iq({ type: 'get', id: '' }, a))).toBe('ok');
  });

  it.each([
    [undefined, 'ok'],
    ['unavailable', 'ok'],
    ['subscribe', 'ok'],
    ['subscribed', 'ok'],
    ['unsubscribe', 'ok'],
    ['unsubscribed', 'ok'],
    ['probe', 'ok'],
    ['error', 'ok'],
    ['available', 'bad-request'],
    ['Probe', 'bad-request'],
    ['', 'bad-request'],
    ['constructor', 'bad-request'],
  ])('presence of type %s', (type, expected) => {
    expect(verdict(presence({ type }))).toBe(expected);
  });

  it.each([undefined, 'chat', 'unheard-of', ''])('a message of type %s', (type) => {
    expect(verdict(message({ type }, a, b))).toBe('ok');
  });
});
