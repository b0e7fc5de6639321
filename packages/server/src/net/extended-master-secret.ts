import type { TLSSocket } from 'node:tls';
import { fromBER, Integer, Sequence } from 'asn1js';

/** The element of OpenSSL's SSL_SESSION that has the session's flags, and the first of these. */
const FLAGS_TAG = 13;
const EXTENDED_MASTER_SECRET = 1;

const CONTEXT_SPECIFIC = 3;

/**
 * Whether TLS 1.2 was agreed on with the extended master secret (RFC 7627), which Node does not tell; OpenSSL does in the session as
 * it is stored. Without it somebody in between can have two connections with the same master secret, and what binds one binds
 * the other. False where the session is another one than is known here.
 */
export function hasExtendedMasterSecret(tls: TLSSocket): boolean {
  const session = tls.getSession();
  if (session === undefined) return false;
  const { result } = fromBER(session);
  if (!(result instanceof Sequence)) return false;
  for (const { idBlock, valueBlock } of result.valueBlock.value) {
    if (idBlock.tagClass !== CONTEXT_SPECIFIC || idBlock.tagNumber !== FLAGS_TAG) continue;
    const flags = (valueBlock as { value?: readonly unknown[] }).value?.[0];
    return flags instanceof Integer && (flags.valueBlock.valueDec & EXTENDED_MASTER_SECRET) !== 0;
  }
  return false;
}
