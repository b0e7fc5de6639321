import { type KeyObject, verify } from 'node:crypto';
import { DER, DerReader, derTime } from './der-reader.ts';

/** Signatures by their object identifiers, and what they hash with; null where that is a part of them. */
const SIGNATURES: ReadonlyMap<string, string | null> = new Map([
  ['2a864886f70d01010b', 'sha256'], // RSA
  ['2a864886f70d01010c', 'sha384'],
  ['2a864886f70d01010d', 'sha512'],
  ['2a8648ce3d040302', 'sha256'], // ECDSA
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
  ['2b6570', null], // Ed25519
  ['2b6571', null], // Ed448
]);

const ENTRIES = DER.sequence;

/** What an authority has revoked (RFC 5280 §5.1). */
export class RevocationList {
  /** The name of the authority, in DER. */
  readonly issuer: Buffer;
  /** Milliseconds since 1970; `until` is undefined where it does not say. */
  readonly from: number;
  readonly until: number | undefined;
  /** It is about a part of what its authority has given, about others, or changes another list. */
  readonly partial: boolean;
  /** Serial numbers, in hexadecimal digits. */
  readonly #serials = new Set<string>();
  readonly #signed: Buffer;
  readonly #algorithm: string;
  readonly #signature: Buffer;

  /** Throws a DerError. */
  constructor(der: Buffer) {
    const list = new DerReader(der).within(DER.sequence);
    const { whole, content } = list.next(DER.sequence);
    this.#signed = whole;
    this.#algorithm = list.within(DER.sequence).next(DER.objectIdentifier).content.toString('hex');
    this.#signature = list.next(DER.bitString).content.subarray(1); // without the number of bits that are no part of it
    const reader = new DerReader(content);
    reader.optional(DER.integer);
    reader.next(DER.sequence);
    this.issuer = reader.next(DER.sequence).whole;
    this.from = derTime(reader.next(DER.utcTime, DER.generalizedTime));
    const until = reader.optional(DER.utcTime, DER.generalizedTime);
    this.until = until && derTime(until);
    const entries = reader.optional(ENTRIES);
    const limitedEntries = entries !== undefined && this.#read(new DerReader(entries.content));
    const extensions = reader.optional(DER.tagged0);
    this.partial =
      limitedEntries ||
      (extensions !== undefined && hasCritical(new DerReader(extensions.content).within(DER.sequence)));
  }

  /** Whether an entry has something to it that would have to be understood. */
  #read(entries: DerReader): boolean {
    let limited = false;
    while (!entries.done) {
      const entry = entries.within(DER.sequence);
      this.#serials.add(digits(entry.next(DER.integer).content.toString('hex')));
      entry.next(DER.utcTime, DER.generalizedTime);
      if (!entry.done && hasCritical(entry.within(DER.sequence))) limited = true;
    }
    return limited;
  }

  /** `serial`: in hexadecimal digits. */
  has(serial: string): boolean {
    return this.#serials.has(digits(serial));
  }

  isSignedWith(key: KeyObject): boolean {
    const hash = SIGNATURES.get(this.#algorithm);
    if (hash === undefined) return false;
    try {
      return verify(hash, this.#signed, key, this.#signature);
    } catch {
      return false; // a key of another kind
    }
  }
}

/** RFC 5280 §4.1: Extension */
function hasCritical(extensions: DerReader): boolean {
  while (!extensions.done) {
    const extension = extensions.within(DER.sequence);
    extension.next(DER.objectIdentifier);
    const critical = extension.optional(DER.boolean);
    if (critical !== undefined && critical.content[0] !== 0) return true;
  }
  return false;
}

/** Without regard to zeros in front and to case. */
const digits = (text: string): string => text.toLowerCase().replace(/^0+(?=.)/, '');
