import { pbkdf2Sync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { PasswordError } from '../password.ts';
import {
  deriveScramVerifier,
  falseScramVerifier,
  formatScramVerifier,
  parseScramVerifier,
  passwordMatches,
  proofMatches,
  scramHashes,
  serverSignature,
  verifierOfSalted,
} from './scram-verifier.ts';

// RFC 5802 §5 and RFC 7677 §3
describe.each([
  {
    hash: 'SHA-1' as const,
    salt: 'QSXCR+Q6sek8bf92',
    first: 'n=user,r=fyko+d2lbbFgONRv9qkxdawL',
    nonce: 'fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j',
    proof: 'v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    signature: 'rmF9pqV8S7suAoZWja4dJRkFsKQ=',
  },
  {
    hash: 'SHA-256' as const,
    salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
    first: 'n=user,r=rOprNGfwEbeRWgbNEkqO',
    nonce: 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    proof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    signature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  },
])('the published exchange of $hash', ({ hash, salt, first, nonce, proof, signature }) => {
  const authMessage = `${first},r=${nonce},s=${salt},i=4096,c=biws,r=${nonce}`;

  test('its proof fits, its signature is ours', async () => {
    const verifier = await deriveScramVerifier('pencil', hash, { iterations: 4096, salt: Buffer.from(salt, 'base64') });
    expect(proofMatches(verifier, authMessage, Buffer.from(proof, 'base64'))).toBe(true);
    expect(serverSignature(verifier, authMessage).toString('base64')).toBe(signature);
  });

  test('nothing else fits', async () => {
    const verifier = await deriveScramVerifier('pencil', hash, { iterations: 4096, salt: Buffer.from(salt, 'base64') });
    const wrong = Buffer.from(proof, 'base64');
    wrong[0] = (wrong[0] ?? 0) ^ 1;
    expect(proofMatches(verifier, authMessage, wrong)).toBe(false);
    expect(proofMatches(verifier, `${authMessage}x`, Buffer.from(proof, 'base64'))).toBe(false);
    expect(proofMatches(verifier, authMessage, Buffer.alloc(0))).toBe(false);
    expect(proofMatches(verifier, authMessage, Buffer.from(proof, 'base64').subarray(1))).toBe(false);
  });
});

describe.each(scramHashes)('a verifier of %s', (hash) => {
  test('knows the password, in any spelling of it, and no other', async () => {
    const verifier = await deriveScramVerifier('caf\u00e9', hash, { iterations: 4096 });
    expect(await passwordMatches(verifier, 'cafe\u0301')).toBe(true);
    expect(await passwordMatches(verifier, 'cafe')).toBe(false);
    expect(await passwordMatches(verifier, '')).toBe(false);
    expect(await passwordMatches(verifier, 'a\0b')).toBe(false);
  });

  test('is written on one line and read back', async () => {
    const verifier = await deriveScramVerifier('pencil', hash);
    const line = formatScramVerifier(verifier);
    expect(line).toMatch(new RegExp(`^SCRAM-${hash}\\$10000:`));
    expect(parseScramVerifier(line)).toEqual(verifier);
  });

  test('has a salt of its own', async () => {
    const [one, other] = await Promise.all([deriveScramVerifier('pencil', hash), deriveScramVerifier('pencil', hash)]);
    expect(one.salt.equals(other.salt)).toBe(false);
    expect(one.storedKey.equals(other.storedKey)).toBe(false);
  });
});

test('a bad password or count is refused', async () => {
  await expect(deriveScramVerifier('', 'SHA-1')).rejects.toThrow(PasswordError);
  await expect(deriveScramVerifier('pencil', 'SHA-1', { iterations: 4095 })).rejects.toThrow(RangeError);
  await expect(deriveScramVerifier('pencil', 'SHA-1', { iterations: 1e9 })).rejects.toThrow(RangeError);
  await expect(deriveScramVerifier('pencil', 'SHA-1', { iterations: 4096.5 })).rejects.toThrow(RangeError);
});

test('a false verifier looks like a real one and is stable', async () => {
  const secret = Buffer.from('the secret of the cluster');
  const real = await deriveScramVerifier('pencil', 'SHA-256');
  const one = falseScramVerifier(secret, 'nobody@example.com', 'SHA-256');
  expect(falseScramVerifier(secret, 'nobody@example.com', 'SHA-256')).toEqual(one);
  expect(one.salt).toHaveLength(real.salt.length);
  expect(one.storedKey).toHaveLength(real.storedKey.length);
  expect(one.iterations).toBe(real.iterations);
  for (const other of [
    falseScramVerifier(secret, 'noone@example.com', 'SHA-256'),
    falseScramVerifier(secret, 'nobody@example.com', 'SHA-1'),
    falseScramVerifier(Buffer.from('another secret'), 'nobody@example.com', 'SHA-256'),
  ]) {
    expect(other.salt.equals(one.salt)).toBe(false);
  }
});

test.each([
  '',
  'pencil',
  'SCRAM-MD5$4096:AAAA$AAAA:AAAA',
  'SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$AAAA:AAAA',
  'SCRAM-SHA-1$100:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=',
  'SCRAM-SHA-1$99999999999:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=',
  'SCRAM-SHA-1$4096:QSXCR+Q6sek8bf9$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=',
  'SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=:',
  'SCRAM-SHA-256$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=',
])('%j is no verifier', (line) => {
  expect(parseScramVerifier(line)).toBeUndefined();
});

test('a password that somebody else has salted makes the same verifier, and nothing of another length does', async () => {
  const salt = Buffer.from('0123456789abcdef');
  const salted = pbkdf2Sync('pencil', salt, 4096, 32, 'sha256');
  const parameters = { hash: 'SHA-256', salt, iterations: 4096 } as const;
  expect(verifierOfSalted(salted, parameters)).toEqual(await deriveScramVerifier('pencil', 'SHA-256', parameters));
  for (const other of [Buffer.alloc(0), salted.subarray(1), Buffer.concat([salted, salted])]) {
    expect(() => verifierOfSalted(other, parameters)).toThrow(RangeError);
  }
});
