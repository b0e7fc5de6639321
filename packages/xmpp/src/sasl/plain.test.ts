import { expect, test } from 'vitest';
import { SaslError } from '../sasl-error.ts';
import { PlainExchange } from './plain.ts';
import { juliet, password, services } from './testing.ts';

function plain(message: string | Buffer, change = {}) {
  return new PlainExchange(services(change)).step(Buffer.from(message));
}

test.each([
  `\0juliet\0${password}`,
  `\0JULIET\0${password}`,
  `juliet@example.com\0juliet\0${password}`,
  `Juliet@Example.com\0juliet\0${password}`,
])('%j logs in', async (message) => {
  const step = await plain(message);
  expect(step.type === 'success' && step.identity.equals(juliet)).toBe(true);
});

test.each([
  ['not-authorized', '\0juliet\0wrong'],
  ['not-authorized', `\0romeo\0${password}`],
  ['not-authorized', '\0juliet\0'],
  ['not-authorized', `\0juliet\0${'x'.repeat(1024)}`],
  ['not-authorized', `\0juliet\0${password}\n`],
  ['not-authorized', `\0juliet@example.com\0${password}`],
  ['not-authorized', `\0juliet/x\0${password}`],
  ['invalid-authzid', `romeo@example.com\0juliet\0${password}`],
  ['invalid-authzid', `juliet@example.net\0juliet\0${password}`],
  ['invalid-authzid', `juliet@example.com/x\0juliet\0${password}`],
  ['invalid-authzid', `juliet\0juliet\0${password}`],
  ['invalid-authzid', `@\0juliet\0${password}`],
  ['malformed-request', ''],
  ['malformed-request', 'juliet'],
  ['malformed-request', `juliet\0${password}`],
  ['malformed-request', `\0\0${password}`],
  ['malformed-request', `\0juliet\0${password}\0`],
  ['malformed-request', `\0juliet\0a\0b`],
])('%s: %j', async (condition, message) => {
  await expect(plain(message)).rejects.toMatchObject({ condition, name: 'SaslError' });
});

test('bytes that are not UTF-8 are refused', async () => {
  const message = Buffer.concat([Buffer.from('\0juliet\0'), Buffer.from([0xff])]);
  await expect(plain(message)).rejects.toMatchObject({ condition: 'malformed-request' });
});

test('the verifier sees prepared text and never an empty password', async () => {
  const seen: string[] = [];
  const verifyPassword = (account: { toString(): string }, text: string) => {
    seen.push(`${account} ${text}`);
    return true;
  };
  await plain('\0\uff2auliet\0cafe\u0301', { verifyPassword });
  await expect(plain('\0juliet\0', { verifyPassword })).rejects.toThrow(SaslError);
  expect(seen).toEqual(['juliet@example.com caf\u00e9']);
});

test('what the server says about an account goes through', async () => {
  const verifyPassword = () => {
    throw new SaslError('account-disabled');
  };
  await expect(plain(`\0juliet\0${password}`, { verifyPassword })).rejects.toMatchObject({
    condition: 'account-disabled',
  });
});
