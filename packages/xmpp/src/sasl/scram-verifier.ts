import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { decodeBase64 } from '../base64.ts';
import { PasswordError, preparePassword } from '../password.ts';

const hashes = {
  'SHA-1': { digest: 'sha1', bytes: 20 },
  'SHA-256': { digest: 'sha256', bytes: 32 },
  'SHA-512': { digest: 'sha512', bytes: 64 },
} as const;

export type ScramHash = keyof typeof hashes;

export const scramHashes = Object.keys(hashes) as readonly ScramHash[];

/** What a server keeps in place of a password (RFC 5802 §3): it can check a proof and cannot make one. */
export interface ScramVerifier {
  readonly hash: ScramHash;
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

export const defaultScramIterations = 10_000;
/** RFC 5802 §5.1, RFC 7677 §4 */
export const minScramIterations = 4096;
/** More would let one stored line keep a processor busy for minutes. */
export const maxScramIterations = 10_000_000;
const saltBytes = 16;

const derive = promisify(pbkdf2);

export function scramDigest(hash: ScramHash, data: Buffer | string): Buffer {
  return createHash(hashes[hash].digest).update(data).digest();
}

export function scramHmac(hash: ScramHash, key: Buffer, data: Buffer | string): Buffer {
  return createHmac(hashes[hash].digest, key).update(data).digest();
}

/**
 * Derives a verifier; the work is done off the main thread. Throws PasswordError where the text cannot be a password
 * and RangeError where the iterations are too few or too many.
 */
export async function deriveScramVerifier(
  password: string,
  hash: ScramHash,
  options: { iterations?: number; salt?: Buffer } = {},
): Promise<ScramVerifier> {
  const { iterations = defaultScramIterations, salt = randomBytes(saltBytes) } = options;
  if (!isIterationCount(iterations)) {
    throw new RangeError(`SCRAM iterations must be ${minScramIterations} to ${maxScramIterations}, not ${iterations}`);
  }
  const { digest, bytes } = hashes[hash];
  const salted = await derive(preparePassword(password), salt, iterations, bytes, digest);
  return verifierOfSalted(salted, { hash, salt, iterations });
}

/** What a password is salted and hashed with. */
export type ScramParameters = Pick<ScramVerifier, 'hash' | 'salt' | 'iterations'>;

/** The verifier of a salted password (RFC 5802 §3) that somebody else has made. Throws RangeError where it has another length. */
export function verifierOfSalted(salted: Buffer, { hash, salt, iterations }: ScramParameters): ScramVerifier {
  if (salted.length !== hashes[hash].bytes) throw new RangeError(`A ${hash} has ${hashes[hash].bytes} bytes.`);
  return {
    hash,
    salt,
    iterations,
    storedKey: scramDigest(hash, scramHmac(hash, salted, 'Client Key')),
    serverKey: scramHmac(hash, salted, 'Server Key'),
  };
}

/**
 * A verifier that no password fits, for a name that has no account: the same for the same secret, name and hash, so that
 * asking twice does not tell it from a real one. Its iterations must be those that real ones have.
 */
export function falseScramVerifier(
  secret: Buffer,
  account: string,
  hash: ScramHash,
  iterations: number = defaultScramIterations,
): ScramVerifier {
  const part = (name: string) => createHmac('sha512', secret).update(`${name}\0${hash}\0${account}`).digest();
  return {
    hash,
    salt: part('salt').subarray(0, saltBytes),
    iterations,
    storedKey: part('stored key').subarray(0, hashes[hash].bytes),
    serverKey: part('server key').subarray(0, hashes[hash].bytes),
  };
}

/** Whether the password is the one that the verifier was derived from; the work is done off the main thread. */
export async function passwordMatches(verifier: ScramVerifier, password: string): Promise<boolean> {
  try {
    const derived = await deriveScramVerifier(password, verifier.hash, verifier);
    return timingSafeEqual(derived.storedKey, verifier.storedKey);
  } catch (error) {
    if (error instanceof PasswordError) return false;
    throw error;
  }
}

/** Whether the client that made this proof knows the password (RFC 5802 §3). */
export function proofMatches(verifier: ScramVerifier, authMessage: string, proof: Buffer): boolean {
  const signature = scramHmac(verifier.hash, verifier.storedKey, authMessage);
  if (proof.length !== signature.length) return false;
  const clientKey = Buffer.alloc(proof.length);
  for (let index = 0; index < proof.length; index++) clientKey[index] = (proof[index] ?? 0) ^ (signature[index] ?? 0);
  return timingSafeEqual(scramDigest(verifier.hash, clientKey), verifier.storedKey);
}

/** By which the client knows that the server knows the verifier (RFC 5802 §3). */
export function serverSignature(verifier: ScramVerifier, authMessage: string): Buffer {
  return scramHmac(verifier.hash, verifier.serverKey, authMessage);
}

/** One line, as RFC 5803 §3 writes it into directories: `SCRAM-SHA-256$10000:salt$storedKey:serverKey`. */
export function formatScramVerifier({ hash, salt, iterations, storedKey, serverKey }: ScramVerifier): string {
  const [saltText, storedText, serverText] = [salt, storedKey, serverKey].map((bytes) => bytes.toString('base64'));
  return `SCRAM-${hash}$${iterations}:${saltText}$${storedText}:${serverText}`;
}

/** The reverse of formatScramVerifier; undefined where the line is no verifier. */
export function parseScramVerifier(line: string): ScramVerifier | undefined {
  const [, hash, count, ...keys] =
    /^SCRAM-(SHA-[0-9]+)\$([1-9][0-9]{0,8}):([^$:]+)\$([^$:]+):([^$:]+)$/.exec(line) ?? [];
  if (hash === undefined || !isScramHash(hash)) return undefined;
  const [salt, storedKey, serverKey] = keys.map(decodeBase64);
  const iterations = Number(count);
  if (!isIterationCount(iterations) || salt === undefined) return undefined;
  if (storedKey?.length !== hashes[hash].bytes || serverKey?.length !== hashes[hash].bytes) return undefined;
  return { hash, salt, iterations, storedKey, serverKey };
}

function isScramHash(text: string): text is ScramHash {
  return Object.hasOwn(hashes, text);
}

function isIterationCount(count: number): boolean {
  return Number.isInteger(count) && count >= minScramIterations && count <= maxScramIterations;
}
