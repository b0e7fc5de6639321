/** What the tests of the mechanisms share: a server of one account, and a SCRAM client written apart from the server. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { Jid } from '../jid.ts';
import type { ChannelBindingType, SaslServices, SaslStep } from './mechanism.ts';
import { deriveScramVerifier, falseScramVerifier, type ScramHash, scramHashes } from './scram-verifier.ts';

export const juliet = Jid.parse('juliet@example.com');
export const password = 'R0m30 ?';
const salt = Buffer.from('0123456789abcdef');
const iterations = 4096;

const verifiers = await Promise.all(
  scramHashes.map((hash) => deriveScramVerifier(password, hash, { salt, iterations })),
);

export const bindings: Readonly<Record<ChannelBindingType, Buffer>> = {
  'tls-exporter': Buffer.from('exported by this stream'),
  'tls-unique': Buffer.from('the first Finished'),
  'tls-server-end-point': Buffer.from('hash of the certificate'),
};

export function services(change: Partial<SaslServices> = {}): SaslServices {
  return {
    domain: 'example.com',
    offeredMechanisms: [
      'SCRAM-SHA-512',
      'SCRAM-SHA-256',
      'SCRAM-SHA-1',
      'SCRAM-SHA-512-PLUS',
      'SCRAM-SHA-256-PLUS',
      'SCRAM-SHA-1-PLUS',
      'OAUTHBEARER',
      'PLAIN',
      'EXTERNAL',
      'GSSAPI',
      'ANONYMOUS',
    ],
    channelBindingTypes: ['tls-exporter', 'tls-server-end-point'],
    downgradeProtection: true,
    channelBinding: (type) => bindings[type],
    verifyPassword: async (account, text) => account.equals(juliet) && text === password,
    scramVerifier: async (account, hash) =>
      account.equals(juliet) ? verifiers.find((verifier) => verifier.hash === hash) : undefined,
    falseVerifier: (account, hash) => falseScramVerifier(Buffer.from('secret'), account.toString(), hash, iterations),
    externalIdentities: () => [],
    ...change,
  };
}

/** Makes the client's final message for a server's challenge. */
export function clientFinal(
  hash: ScramHash,
  firstMessage: string,
  challenge: SaslStep,
  options: { password?: string; bindingData?: Buffer; nonce?: string; extensions?: string } = {},
): { message: string; serverSignature: string } {
  const digest = hash.replace('-', '').toLowerCase();
  const hmac = (key: Buffer, text: string) => createHmac(digest, key).update(text).digest();
  const serverFirst = challenge.data?.toString() ?? '';
  const attribute = (name: string) =>
    serverFirst
      .split(',')
      .find((each) => each.startsWith(`${name}=`))
      ?.slice(2) ?? '';
  const gs2Header = firstMessage.split(',', 2).join(',').concat(',');
  const binding = Buffer.concat([Buffer.from(gs2Header), options.bindingData ?? Buffer.alloc(0)]).toString('base64');
  const salted = pbkdf2Sync(
    options.password ?? password,
    Buffer.from(attribute('s'), 'base64'),
    Number(attribute('i')),
    createHash(digest).digest().length,
    digest,
  );
  const withoutProof = `c=${binding},r=${options.nonce ?? attribute('r')}${options.extensions ?? ''}`;
  const authMessage = `${firstMessage.slice(gs2Header.length)},${serverFirst},${withoutProof}`;
  const clientKey = hmac(salted, 'Client Key');
  const signature = hmac(createHash(digest).update(clientKey).digest(), authMessage);
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
  return {
    message: `${withoutProof},p=${proof.toString('base64')}`,
    serverSignature: hmac(hmac(salted, 'Server Key'), authMessage).toString('base64'),
  };
}
