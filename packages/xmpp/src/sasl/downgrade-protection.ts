import type { SaslServices } from './mechanism.ts';
import { type ScramHash, scramDigest } from './scram-verifier.ts';

/**
 * XEP-0474 §6.1: the hash of all that this stream offers, in base64. The client compares it with what it saw, and its
 * proof covers it.
 */
export function offersHash(
  { offeredMechanisms, channelBindingTypes }: Pick<SaslServices, 'offeredMechanisms' | 'channelBindingTypes'>,
  hash: ScramHash,
): string {
  // The names are ASCII, for which sorting by code units is the i;octet order that is asked for.
  const mechanisms = [...offeredMechanisms].sort().join('\x1e');
  const types = [...channelBindingTypes].sort().join('\x1e');
  return scramDigest(hash, types === '' ? mechanisms : `${mechanisms}\x1f${types}`).toString('base64');
}
