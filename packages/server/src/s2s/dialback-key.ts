import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { DialbackKey } from './outgoing.ts';

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
