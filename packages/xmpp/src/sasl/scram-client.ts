import { pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { decodeBase64 } from '../base64.ts';
import { preparePassword } from '../password.ts';
import {
  maxScramIterations,
  minScramIterations,
  type ScramHash,
  scramDigest,
  scramHmac,
  serverSignature,
  verifierOfSalted,
} from './scram-verifier.ts';

const derive = promisify(pbkdf2);

/** The server does not keep to SCRAM, or does not know the account. */
export class ScramServerError extends Error {
  override readonly name = 'ScramServerError';
}

/** The client's side of SCRAM (RFC 5802), without channel binding. */
export class ScramClient {
  readonly #hash: ScramHash;
  readonly #password: string;
  readonly #nonce = randomBytes(18).toString('base64');
  readonly #bare: string;
  #serverSignature: Buffer | undefined;

  constructor(hash: ScramHash, username: string, password: string) {
    this.#hash = hash;
    this.#password = password;
    const name = username.replaceAll('=', '=3D').replaceAll(',', '=2C'); // RFC 5802 §5.1
    this.#bare = `n=${name},r=${this.#nonce}`;
  }

  /** `n`: a client that knows no channel binding. */
  get first(): string {
    return `n,,${this.#bare}`;
  }

  /** The proof that it knows the password, as the answer to what the server has said first. */
  async final(serverFirst: string): Promise<string> {
    const [, nonce = '', saltText = '', count = ''] =
      /^r=([!-+\--~]+),s=([^,]+),i=([1-9][0-9]*)(?:,.*)?$/s.exec(serverFirst) ?? [];
    const salt = decodeBase64(saltText);
    const iterations = Number(count);
    if (salt === undefined || salt.length === 0) throw new ScramServerError('What the server says is no challenge.');
    // RFC 5802 §5: it begins with the client's own
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) {
      throw new ScramServerError('The server has not chosen a nonce.');
    }
    // RFC 7677 §4; and so many that the client would be busy for minutes are an attack on it
    if (iterations < minScramIterations || iterations > maxScramIterations) {
      throw new ScramServerError(`The server wants ${count} iterations.`);
    }
    const hash = this.#hash;
    const { length } = scramDigest(hash, '');
    const digest = hash.replace('-', '').toLowerCase();
    const salted = await derive(preparePassword(this.#password), salt, iterations, length, digest);
    const verifier = verifierOfSalted(salted, { hash, salt, iterations });
    const withoutProof = `c=biws,r=${nonce}`; // "n,,"
    const message = `${this.#bare},${serverFirst},${withoutProof}`;
    this.#serverSignature = serverSignature(verifier, message);
    const signature = scramHmac(hash, verifier.storedKey, message);
    const proof = scramHmac(hash, salted, 'Client Key').map((byte, index) => byte ^ (signature[index] ?? 0));
    return `${withoutProof},p=${Buffer.from(proof).toString('base64')}`;
  }

  /** Throws where the server has not proved that it knows the account. */
  verify(serverFinal: string): void {
    const proof = decodeBase64(/^v=([^,]+)/.exec(serverFinal)?.[1] ?? '');
    const expected = this.#serverSignature;
    if (expected === undefined || proof?.length !== expected.length || !timingSafeEqual(proof, expected)) {
      throw new ScramServerError('The server has not proved that it knows the account.');
    }
  }
}
