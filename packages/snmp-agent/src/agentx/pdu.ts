import snmp from 'net-snmp';
import { type Oid, parseOid } from '../protocol/oid.ts';
import type { Varbind } from '../protocol/requests.ts';

const { ObjectType } = snmp;

/** RFC 2741 §6.1 */
export const PDU = {
  open: 1,
  close: 2,
  register: 3,
  get: 5,
  getNext: 6,
  getBulk: 7,
  testSet: 8,
  commitSet: 9,
  undoSet: 10,
  cleanupSet: 11,
  notify: 12,
  ping: 13,
  response: 18,
} as const;

export interface Header {
  readonly type: number;
  readonly session: number;
  readonly transaction: number;
  readonly packet: number;
}

/** What lies from `start` on, with it only where it is included, and before `end`. */
export interface SearchRange {
  readonly start: Oid;
  readonly included: boolean;
  readonly end: Oid;
}

export interface MasterPdu extends Header {
  /** Of a response: the time of the master agent, in milliseconds, and the error; 0 is none. */
  readonly upTime: number;
  readonly error: number;
  /** Of a request. */
  readonly ranges: readonly SearchRange[];
  readonly nonRepeaters: number;
  readonly maxRepetitions: number;
}

const HEADER = 20;
const VERSION = 1;
const NETWORK_BYTE_ORDER = 0x10;
const NON_DEFAULT_CONTEXT = 0x08;
/** A master agent has nothing to say that is longer. */
const MOST_OCTETS = 1_048_576;

/** Cuts what comes over a connection into PDUs. Throws a RangeError where that is no AgentX. */
export class PduFramer {
  #octets = Buffer.alloc(0);

  *push(octets: Buffer): Generator<Buffer, void, undefined> {
    this.#octets = Buffer.concat([this.#octets, octets]);
    while (this.#octets.length >= HEADER) {
      if (this.#octets[0] !== VERSION) throw new RangeError('The master agent speaks another version of AgentX.');
      const big = ((this.#octets[2] as number) & NETWORK_BYTE_ORDER) !== 0;
      const payload = big ? this.#octets.readUInt32BE(16) : this.#octets.readUInt32LE(16);
      if (payload > MOST_OCTETS) throw new RangeError('The master agent sends too much at once.');
      if (this.#octets.length < HEADER + payload) return;
      const pdu = this.#octets.subarray(0, HEADER + payload);
      this.#octets = this.#octets.subarray(HEADER + payload);
      yield pdu;
    }
  }
}

/** Reads one PDU. Throws a RangeError where it is cut short. */
export function readPdu(octets: Buffer): MasterPdu {
  const reader = new Reader(octets);
  const [, type = 0, flags = 0] = octets;
  reader.big = (flags & NETWORK_BYTE_ORDER) !== 0;
  reader.at = 4;
  const header = { type, session: reader.long(), transaction: reader.long(), packet: reader.long() };
  reader.at = HEADER;
  let none = { upTime: 0, error: 0, nonRepeaters: 0, maxRepetitions: 0, ranges: [] as SearchRange[] };
  if (type === PDU.response) {
    none = { ...none, upTime: reader.long() * 10, error: reader.short() };
    return { ...header, ...none };
  }
  if ((flags & NON_DEFAULT_CONTEXT) !== 0) reader.skipText();
  if (type === PDU.getBulk) none = { ...none, nonRepeaters: reader.short(), maxRepetitions: reader.short() };
  if (type === PDU.get || type === PDU.getNext || type === PDU.getBulk) {
    while (reader.at < octets.length) {
      const { oid: start, included } = reader.oid();
      none.ranges.push({ start, included, end: reader.oid().oid });
    }
  }
  return { ...header, ...none };
}

class Reader {
  readonly #octets: Buffer;
  big = true;
  at = 0;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  short(): number {
    this.at += 2;
    return this.big ? this.#octets.readUInt16BE(this.at - 2) : this.#octets.readUInt16LE(this.at - 2);
  }

  long(): number {
    this.at += 4;
    return this.big ? this.#octets.readUInt32BE(this.at - 4) : this.#octets.readUInt32LE(this.at - 4);
  }

  skipText(): void {
    const length = this.long();
    this.at += Math.ceil(length / 4) * 4;
  }

  /** RFC 2741 §5.1 */
  oid(): { oid: Oid; included: boolean } {
    const [count = 0, prefix = 0, include = 0] = this.#octets.subarray(this.at, this.at + 4);
    this.at += 4;
    const numbers = Array.from({ length: count }, () => this.long());
    return { oid: prefix === 0 ? numbers : [...INTERNET, prefix, ...numbers], included: include !== 0 };
  }
}

/** What a prefix stands behind. */
const INTERNET: Oid = [1, 3, 6, 1];

// --- out ------------------------------------------------------------------------------------------------------------

export function writePdu({ type, session, transaction, packet }: Header, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER);
  header.set([VERSION, type, NETWORK_BYTE_ORDER, 0]);
  for (const [index, number] of [session, transaction, packet, payload.length].entries()) {
    header.writeUInt32BE(number, 4 + index * 4);
  }
  return Buffer.concat([header, payload]);
}

/** RFC 2741 §6.2.1 */
export const openPayload = (timeoutSeconds: number, description: string): Buffer =>
  Buffer.concat([Buffer.from([timeoutSeconds, 0, 0, 0]), oidOctets([]), textOctets(Buffer.from(description))]);

/** RFC 2741 §6.2.2: the master agent goes on without us. */
export const closePayload = (): Buffer => Buffer.from([SHUTDOWN, 0, 0, 0]);
const SHUTDOWN = 5;

/** RFC 2741 §6.2.3 */
export const registerPayload = (subtree: Oid): Buffer =>
  Buffer.concat([Buffer.from([0, PRIORITY, 0, 0]), oidOctets(subtree)]);
const PRIORITY = 127;

/** RFC 2741 §6.2.16 */
export function responsePayload(error: number, index: number, varbinds: readonly Varbind[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(error, 4);
  head.writeUInt16BE(index, 6);
  return Buffer.concat([head, varbindsPayload(varbinds)]);
}

/** RFC 2741 §5.4 */
export const varbindsPayload = (varbinds: readonly Varbind[]): Buffer =>
  Buffer.concat(
    varbinds.flatMap(({ oid, type, value }) => {
      const head = Buffer.alloc(4);
      head.writeUInt16BE(type);
      return [head, oidOctets(parseOid(oid)), valueOctets(type, value)];
    }),
  );

function valueOctets(type: number, value: Varbind['value']): Buffer {
  if (value === null) return Buffer.alloc(0);
  if (type === ObjectType.OctetString) return textOctets(Buffer.from(value as Buffer | string));
  if (type === ObjectType.OID) return oidOctets(parseOid(String(value)));
  if (Buffer.isBuffer(value)) return value; // a Counter64
  const octets = Buffer.alloc(4);
  if (type === ObjectType.Integer) octets.writeInt32BE(Number(value));
  else octets.writeUInt32BE(Number(value));
  return octets;
}

function textOctets(octets: Buffer): Buffer {
  const padded = Buffer.alloc(4 + Math.ceil(octets.length / 4) * 4);
  padded.writeUInt32BE(octets.length);
  octets.copy(padded, 4);
  return padded;
}

function oidOctets(oid: Oid): Buffer {
  const short = oid.length > INTERNET.length && INTERNET.every((number, index) => oid[index] === number);
  const prefix = short ? (oid[INTERNET.length] as number) : 0;
  const fits = prefix > 0 && prefix < 256;
  const numbers = fits ? oid.slice(INTERNET.length + 1) : oid;
  const octets = Buffer.alloc(4 + numbers.length * 4);
  octets.set([numbers.length, fits ? prefix : 0, 0, 0]);
  for (const [index, number] of numbers.entries()) octets.writeUInt32BE(number, 4 + index * 4);
  return octets;
}
