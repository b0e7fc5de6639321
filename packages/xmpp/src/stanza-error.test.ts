import { describe, expect, it } from 'vitest';
import { Element } from './element.ts';
import { NS } from './namespaces.ts';
import { StanzaError } from './stanza-error.ts';

// RFC 6120 §8.3.3: condition and the type that goes with it; XEP-0086 §3: the code of older clients
const TABLE = [
  ['bad-request', 'modify', '400'],
  ['conflict', 'cancel', '409'],
  ['feature-not-implemented', 'cancel', '501'],
  ['forbidden', 'auth', '403'],
  ['gone', 'cancel', '302'],
  ['internal-server-error', 'cancel', '500'],
  ['item-not-found', 'cancel', '404'],
  ['jid-malformed', 'modify', '400'],
  ['not-acceptable', 'modify', '406'],
  ['not-allowed', 'cancel', '405'],
  ['not-authorized', 'auth', '401'],
  ['policy-violation', 'modify', '406'],
  ['recipient-unavailable', 'wait', '404'],
  ['redirect', 'modify', '302'],
  ['registration-required', 'auth', '407'],
  ['remote-server-not-found', 'cancel', '404'],
  ['remote-server-timeout', 'wait', '504'],
  ['resource-constraint', 'wait', '500'],
  ['service-unavailable', 'cancel', '503'],
  ['subscription-required', 'auth', '407'],
  ['undefined-condition', 'cancel', '500'],
  ['unexpected-request', 'wait', '400'],
] as const;

describe('StanzaError', () => {
  it('knows the conditions of the RFC and no others', () => {
    expect([...StanzaError.conditions].sort()).toEqual(TABLE.map(([condition]) => condition));
  });

  it.each(TABLE)('%s is of the type %s and has the code %s', (condition, type, code) => {
    const error = new StanzaError(condition);
    expect([error.type, error.message, error instanceof Error]).toEqual([type, condition, true]);
    expect(error.toElement().toString(NS.client)).toBe(
      `<error code='${code}' type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`,
    );
  });

  it('says more where there is more to say', () => {
    const cause = new Error('why');
    const application = Element.of('too-many', 'urn:example:errors');
    const error = new StanzaError('gone', {
      type: 'wait',
      text: 'It has <moved>.',
      application,
      address: 'xmpp:a@b',
      cause,
    });
    expect([error.message, error.cause]).toEqual(['It has <moved>.', cause]);
    expect(error.toElement().toString(NS.client)).toBe(
      `<error code='302' type='wait'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>xmpp:a@b</gone>` +
        `<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>It has &lt;moved&gt;.</text>` +
        `<too-many xmlns='urn:example:errors'/></error>`,
    );
  });
});
