import { describe, expect, it } from 'vitest';
import { Element } from './element.ts';
import { NS } from './namespaces.ts';
import { StreamError } from './stream-error.ts';

// RFC 6120 §4.9.3
const TABLE = [
  'bad-format',
  'bad-namespace-prefix',
  'conflict',
  'connection-timeout',
  'host-gone',
  'host-unknown',
  'improper-addressing',
  'internal-server-error',
  'invalid-from',
  'invalid-namespace',
  'invalid-xml',
  'not-authorized',
  'not-well-formed',
  'policy-violation',
  'remote-connection-failed',
  'reset',
  'resource-constraint',
  'restricted-xml',
  'see-other-host',
  'system-shutdown',
  'undefined-condition',
  'unsupported-encoding',
  'unsupported-feature',
  'unsupported-stanza-type',
  'unsupported-version',
] as const;

describe('StreamError', () => {
  it('knows the conditions of the RFC and no others', () => {
    expect([...StreamError.conditions].sort()).toEqual(TABLE);
  });

  it.each(TABLE)('%s', (condition) => {
    const error = new StreamError(condition);
    expect([error.message, error instanceof Error]).toEqual([condition, true]);
    expect(error.toElement().toString(NS.streams)).toBe(
      `<error><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></error>`,
    );
  });

  it('says more where there is more to say', () => {
    const error = new StreamError('policy-violation', '<5', Element.of('limit', 'urn:example:errors'));
    expect(error.toElement().toString(NS.streams)).toBe(
      `<error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>` +
        `<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>&lt;5</text><limit xmlns='urn:example:errors'/></error>`,
    );
    expect(error.toText()).toMatch(
      /^<stream:error><policy-violation .*<limit xmlns='urn:example:errors'\/><\/stream:error>$/,
    );
  });
});
