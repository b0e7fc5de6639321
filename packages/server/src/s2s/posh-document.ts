/** What a POSH file says (RFC 7711 §3): the certificates of a domain, or who knows them. */
export type PoshDocument =
  | { readonly kind: 'fingerprints'; readonly sha256: readonly Buffer[]; readonly seconds: number }
  | { readonly kind: 'reference'; readonly url: URL; readonly seconds: number };

const SHA256_BYTES = 32;
const MOST_FINGERPRINTS = 100;
const MOST_URL_CHARACTERS = 2048;

/** It is none, or none that may be believed. The message says why, as the end of a sentence. */
export class PoshDocumentError extends Error {
  override readonly name = 'PoshDocumentError';
}

/** Throws a PoshDocumentError. */
export function poshDocument(text: string): PoshDocument {
  const { fingerprints, url, expires } = object(text);
  // §3.1: without a time, or with none, it is not valid
  if (typeof expires !== 'number' || !(expires > 0))
    throw new PoshDocumentError('it does not say for how long it holds');
  if (Array.isArray(fingerprints)) {
    const sha256 = fingerprints.slice(0, MOST_FINGERPRINTS).flatMap(fingerprint);
    if (sha256.length === 0) throw new PoshDocumentError('it has no fingerprint (sha-256)');
    return { kind: 'fingerprints', sha256, seconds: expires };
  }
  if (typeof url !== 'string' || url.length > MOST_URL_CHARACTERS) {
    throw new PoshDocumentError('it has neither fingerprints nor an address');
  }
  const parsed = URL.parse(url);
  if (parsed?.protocol !== 'https:' || parsed.username !== '' || parsed.password !== '') {
    throw new PoshDocumentError('it leads to an address that does not begin with https://');
  }
  return { kind: 'reference', url: parsed, seconds: expires };
}

function object(text: string): { fingerprints?: unknown; url?: unknown; expires?: unknown } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new PoshDocumentError('it is not JSON', { cause: error });
  }
  if (typeof value !== 'object' || value === null) throw new PoshDocumentError('it is no JSON object');
  return value;
}

function fingerprint(entry: unknown): Buffer[] {
  const text = typeof entry === 'object' && entry !== null ? (entry as { 'sha-256'?: unknown })['sha-256'] : undefined;
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/]{43}=$/.test(text)) return [];
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === SHA256_BYTES ? [bytes] : [];
}
