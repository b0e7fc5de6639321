import { expect, test } from 'vitest';
import { SaslError } from './sasl-error.ts';

const ns = 'urn:ietf:params:xml:ns:xmpp-sasl';

test('is written as a failure', () => {
  expect(new SaslError('not-authorized').toElement().toString()).toBe(
    `<failure xmlns='${ns}'><not-authorized/></failure>`,
  );
  expect(new SaslError('aborted', 'Gone.').toElement().toString()).toBe(
    `<failure xmlns='${ns}'><aborted/><text xml:lang='en'>Gone.</text></failure>`,
  );
});

test('knows the eleven conditions of RFC 6120 §6.5', () => {
  expect(SaslError.conditions).toHaveLength(11);
  expect(new Set(SaslError.conditions).size).toBe(11);
});
