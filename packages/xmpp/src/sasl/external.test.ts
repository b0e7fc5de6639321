import { expect, test } from 'vitest';
import { Jid } from '../jid.ts';
import { ExternalExchange } from './external.ts';
import { services } from './testing.ts';

function external(message: string, ...addresses: string[]) {
  const externalIdentities = () => addresses.map((address) => Jid.parse(address));
  return new ExternalExchange(services({ externalIdentities })).step(Buffer.from(message));
}

test.each([
  ['', ['juliet@example.com'], 'juliet@example.com'],
  ['', ['juliet@example.net', 'juliet@example.com'], 'juliet@example.com'],
  ['', ['example.com', 'juliet@example.com/x', 'juliet@example.com'], 'juliet@example.com'],
  ['juliet@example.com', ['juliet@example.com'], 'juliet@example.com'],
  ['Nurse@example.com', ['juliet@example.com', 'nurse@example.com'], 'nurse@example.com'],
])('%j with a certificate of %j is %s', (message, addresses, identity) => {
  const step = external(message, ...addresses);
  expect(step.type === 'success' && step.identity.toString()).toBe(identity);
});

test.each([
  ['not-authorized', '', []],
  ['not-authorized', 'juliet@example.com', []],
  ['not-authorized', '', ['juliet@example.net']],
  ['not-authorized', '', ['example.com']],
  ['invalid-authzid', '', ['juliet@example.com', 'nurse@example.com']],
  ['invalid-authzid', 'romeo@example.com', ['juliet@example.com', 'nurse@example.com']],
  ['invalid-authzid', 'juliet@example.net', ['juliet@example.net', 'juliet@example.com']],
  ['invalid-authzid', 'juliet@example.com/x', ['juliet@example.com']],
  ['invalid-authzid', '@', ['juliet@example.com']],
])('%s: %j with a certificate of %j', (condition, message, addresses) => {
  expect(() => external(message, ...addresses)).toThrow(expect.objectContaining({ condition, name: 'SaslError' }));
});
