import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';
import {
  deriveScramVerifier,
  formatScramVerifier,
  parseScramVerifier,
  type ScramHash,
  type ScramVerifier,
  scramHashes,
} from '@parley/xmpp/sasl/scram-verifier';

export const learntVerifierKeys = declareKeys({
  name: 'learnt-verifier',
  type: 'hash',
  content: 'a SCRAM verifier for each hash, learnt as somebody of a directory logged in by PLAIN; AES-256-GCM',
  bound: 'three fields',
  ttl: '180 days after it was learnt',
});

const TTL_MS = 180 * 86_400_000;
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What tells one password of a person from the next: it is good for as long as this stays the same. */
export interface PasswordMark {
  /** The id of the entry. */
  readonly id: string;
  /** When the password was changed, in the directory's words. */
  readonly changed: string;
}

export interface LearntVerifiersOptions {
  readonly keyspace: Keyspace;
  /** 32 bytes, the same on all nodes. */
  readonly secret: Buffer;
  iterations(): number;
}

/**
 * SCRAM verifiers of people whose passwords the directory alone has, made when they logged in by PLAIN. They are of no
 * use to who reads the keyspace without the cluster's secret, and to nobody once the password is another one: what says
 * so is part of what is sealed.
 */
export class LearntVerifiers {
  readonly #keyspace: Keyspace;
  readonly #secret: Buffer;
  readonly #iterations: () => number;

  constructor({ keyspace, secret, iterations }: LearntVerifiersOptions) {
    this.#keyspace = keyspace;
    this.#secret = secret;
    this.#iterations = iterations;
  }

  /** Undefined where none was learnt, or it is of another password: one that has none of these marks. */
  async get(account: Jid, hash: ScramHash, ...marks: readonly PasswordMark[]): Promise<ScramVerifier | undefined> {
    const sealed = await this.#keyspace.hget(learntVerifierKeys.key(account.bareText), hash);
    if (sealed === undefined) return undefined;
    const line = marks.map((mark) => this.#open(sealed, account, hash, mark)).find((each) => each !== undefined);
    return line === undefined ? undefined : parseScramVerifier(line);
  }

  /**
   * Replaces what was known. The work is much: a few at a time. The salts are those by which somebody unknown is challenged,
   * so that nobody sees that there is something to know, nor that it has changed.
   */
  async learn(account: Jid, password: string, mark: PasswordMark, salt: (hash: ScramHash) => Buffer): Promise<void> {
    const iterations = this.#iterations();
    const verifiers = await Promise.all(
      scramHashes.map((hash) => deriveScramVerifier(password, hash, { iterations, salt: salt(hash) })),
    );
    const key = learntVerifierKeys.key(account.bareText);
    const fields = verifiers.map(
      (verifier) => [verifier.hash, this.#seal(formatScramVerifier(verifier), account, verifier.hash, mark)] as const,
    );
    await this.#keyspace.batch(
      [
        ['hset', key, fields],
        ['pexpire', key, TTL_MS],
      ],
      { atomic: true },
    );
  }

  async forget(account: Jid): Promise<void> {
    await this.#keyspace.del(learntVerifierKeys.key(account.bareText));
  }

  #seal(line: string, account: Jid, hash: ScramHash, mark: PasswordMark): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#secret, nonce).setAAD(bound(account, hash, mark));
    const text = Buffer.concat([cipher.update(line), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), text]);
  }

  #open(sealed: Buffer, account: Jid, hash: ScramHash, mark: PasswordMark): string | undefined {
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    try {
      const decipher = createDecipheriv(CIPHER, this.#secret, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(bound(account, hash, mark)).setAuthTag(tag);
      return decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)) + decipher.final('utf8');
    } catch {
      return undefined; // of another password, or of another secret of the cluster
    }
  }
}

/** What a verifier is sealed for. */
const bound = (account: Jid, hash: ScramHash, { id, changed }: PasswordMark): Buffer =>
  Buffer.from([account.bareText, hash, id, changed].join('\0'));
