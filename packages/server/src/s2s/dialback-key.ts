import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** Makes the dialback key of a stream of ours (XEP-0185): the same on every node. */
export type DialbackKey = (receiving: string, originating: string, streamId: string) => string;

/** A dialback key and the stream that it was sent on (XEP-0220 §2.2). */
export interface KeyToVerify {
  /** Our domain, to which the other one wants to speak: the `from` of `db:verify`. */
  readonly receiving: string;
  /** The domain that the key speaks for: the `to` of `db:verify`. */
  readonly originating: string;
  /** The id of the incoming stream. */
  readonly streamId: string;
  readonly key: string;
}

/** What incoming streams need of outgoing ones. */
export interface KeyVerifier {
  /**
   * Asks the authoritative server of the originating domain whether the key is its own. Rejects with a
   * ConnectionFailure where it cannot be asked.
   */
  verify(key: KeyToVerify): Promise<boolean>;
}

/** Makes keys by XEP-0185 from a secret that all nodes share, so that any of them answers for any other. */
export function dialbackKeys(secret: string | Buffer): DialbackKey {
  const hashed = createHash('sha256').update(secret).digest('hex');
  return (receiving, originating, streamId) =>
    createHmac('sha256', hashed).update(`${receiving} ${originating} ${streamId}`).digest('hex');
}

/** Whether two keys are the same; how long that takes says nothing about where they differ. */
export function sameKey(one: string, other: string): boolean {
  const [a, b] = [one, other].map((key) => createHash('sha256').update(key).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}
