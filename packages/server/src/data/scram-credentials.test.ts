import { elementFromText } from '@parley/xmpp/element-text';
import { deriveScramVerifier } from '@parley/xmpp/sasl/scram-verifier';
import { expect, it } from 'vitest';
import { credentialsElement, readCredentials, readScramPassword } from './scram-credentials.ts';

it.each(['SHA-1', 'SHA-256', 'SHA-512'] as const)('writes and reads %s, encoded once or twice', async (hash) => {
  const verifier = await deriveScramVerifier('secret', hash, { iterations: 4096 });
  for (const twice of [false, true]) {
    const text = credentialsElement(verifier, twice).toString();
    expect(readCredentials(elementFromText(text))).toEqual(verifier);
  }
});

const credentials = (change: [from: string | RegExp, to: string]) =>
  elementFromText(
    `<scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'><iter-count>10000</iter-count><salt>TmFD</salt><server-key>0pXWGK0GZJ6TR73AIUN3ITYtA1g=</server-key><stored-key>Q6qT/SbybblGCZz8e8eSfCJOQic=</stored-key></scram-credentials>`.replace(
      ...change,
    ),
  );

it('reads the example of the XEP', () => {
  expect(readCredentials(credentials(['', '']))?.iterations).toBe(10_000);
});

it.each([
  ['SCRAM-SHA-1', 'SCRAM-MD5'],
  ['SCRAM-SHA-1', 'SCRAM-SHA-256'],
  ['10000', '100'],
  ['10000', '010000'],
  ['10000', '99999999'],
  ['TmFD', '!'],
  [/<salt>.*<\/salt>/, ''],
  ['Q6qT/', 'Q6qT'],
] as [string | RegExp, string][])('takes no others: %s → %s', (from, to) => {
  expect(readCredentials(credentials([from, to]))).toBeUndefined();
});

it('reads what older versions of ejabberd write in place of a password', async () => {
  for (const [hash, name] of [
    ['SHA-1', ''],
    ['SHA-256', 'sha256,'],
    ['SHA-512', 'sha512,'],
  ] as const) {
    const verifier = await deriveScramVerifier('secret', hash, { iterations: 4096 });
    const twice = [verifier.storedKey, verifier.serverKey, verifier.salt].map((key) =>
      Buffer.from(key.toString('base64')).toString('base64'),
    );
    expect(readScramPassword(`scram:${name}${twice.join(',')},4096`)).toEqual(verifier);
  }
  for (const other of ['secret', 'scram:', 'scram:a,b,c,4096', 'scram:sha3,a,b,c,4096']) {
    expect(readScramPassword(other)).toBeUndefined();
  }
});
