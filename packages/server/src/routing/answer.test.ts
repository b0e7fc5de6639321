import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Jid } from '@parley/xmpp/jid';
import { iq, message, presence, type Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { describe, expect, it } from 'vitest';
import { errorFor } from './answer.ts';

const from = Jid.parse('romeo@montague.lit/orchard');
const to = Jid.parse('juliet@capulet.lit');
const parts = { from, to, id: '1' };
const noFault = (error: unknown) => {
  throw error;
};

describe('errorFor', () => {
  it.each<[string, Stanza, boolean]>([
    ['a message', message(parts), true],
    ['a headline', message({ ...parts, type: 'headline' }), true],
    ['an error', message({ ...parts, type: 'error' }), false],
    ['a request', iq({ ...parts, type: 'get' }), true],
    ['an iq of no type', iq(parts), true],
    ['a result', iq({ ...parts, type: 'result' }), false],
    ['an error of an iq', iq({ ...parts, type: 'error' }), false],
    ['presence', presence(parts), true],
    ['a subscription', presence({ ...parts, type: 'subscribe' }), true],
    ['unavailable presence', presence({ ...parts, type: 'unavailable' }), false],
    ['a probe', presence({ ...parts, type: 'probe' }), false],
    ['an error of presence', presence({ ...parts, type: 'error' }), false],
    ['what nobody sent', message({ to }), false],
  ])('%s is answered: %3$s', (_, stanza, answered) => {
    const answer = errorFor(stanza, new StanzaError('forbidden'), noFault);
    expect(answer !== undefined).toBe(answered);
    if (answer === undefined) return;
    expect([answer.kind, answer.type, answer.to, answer.from, answer.id]).toEqual([
      stanza.kind,
      'error',
      from,
      to,
      '1',
    ]);
    expect(answer.payload?.firstChild?.name).toBe('forbidden');
  });

  it('tells nothing of a fault of ours, and reports it once', () => {
    const faults: unknown[] = [];
    const fault = new TypeError('secret');
    const answer = errorFor(message(parts), fault, (error) => faults.push(error));
    expect(answer?.payload?.firstChild?.name).toBe('internal-server-error');
    expect(String(answer)).not.toContain('secret');
    expect(faults).toEqual([fault]);
    errorFor(iq({ ...parts, type: 'result' }), fault, (error) => faults.push(error));
    expect(faults).toHaveLength(2);
  });

  it('asks to try again where the keyspace is away', () => {
    const answer = errorFor(message(parts), new KeyspaceError('away', 'secret'), noFault);
    expect(answer?.payload?.attr('type')).toBe('wait');
    expect(answer?.payload?.firstChild?.name).toBe('resource-constraint');
    expect(String(answer)).not.toContain('secret');
  });
});
