import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { crc32c } from './crc32c.ts';
import { unmapped } from './networks.ts';

// The PROXY protocol, versions 1 and 2, as HAProxy's specification has it (proxy-protocol.txt).

/** Who speaks at the far end of a connection. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A whole header. */
export interface ProxyHeader {
  /** Its bytes; what comes after them is the client's. */
  readonly length: number;
  /** Whose connection it is; undefined where the load balancer speaks for itself, or cannot tell. */
  readonly source: Endpoint | undefined;
}

/** What came is no header, or one that must not be believed. */
export class ProxyHeaderError extends Error {
  override readonly name = 'ProxyHeaderError';
}

/** §2.1: with its CRLF. */
export const MOST_TEXT_BYTES = 107;
/** Addresses take 216 bytes at most; the rest is for extensions, of which certificates' names are the longest. */
export const MOST_BINARY_BYTES = 4096;

const TEXT = Buffer.from('PROXY ');
const BINARY = Buffer.from('\r\n\r\n\0\r\nQUIT\n');
const FIXED_BYTES = 16;

/**
 * The header at the start of what came so far; undefined where more has to come. Throws a ProxyHeaderError as soon as it
 * can be none.
 */
export function proxyHeader(bytes: Buffer): ProxyHeader | undefined {
  if (startsLike(bytes, BINARY)) return binaryHeader(bytes);
  if (startsLike(bytes, TEXT)) return textHeader(bytes);
  throw new ProxyHeaderError('no header came before the stream');
}

function startsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.subarray(0, length).equals(signature.subarray(0, length));
}

// --- version 1 ------------------------------------------------------------------------------------------------------

function textHeader(bytes: Buffer): ProxyHeader | undefined {
  const end = bytes.subarray(0, MOST_TEXT_BYTES).indexOf('\r\n');
  if (end !== -1) return { length: end + 2, source: textSource(bytes.toString('latin1', 0, end)) };
  if (bytes.length >= MOST_TEXT_BYTES) throw new ProxyHeaderError('the header has no end');
  return undefined;
}

function textSource(line: string): Endpoint | undefined {
  const [, family, ...words] = line.split(' ');
  // whatever stands behind it is to be ignored
  if (family === 'UNKNOWN') return undefined;
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : undefined;
  const [source = '', destination = '', sourcePort, destinationPort] = words;
  const port = portOf(sourcePort);
  const right = words.length === 4 && port !== undefined && portOf(destinationPort) !== undefined;
  if (!right || isAddress === undefined || !isAddress(source) || !isAddress(destination)) {
    throw new ProxyHeaderError('the header is not well-formed');
  }
  return { address: canonical(source), port };
}

const isPlainIPv6 = (text: string) => isIPv6(text) && !text.includes('%');

function portOf(text = ''): number | undefined {
  if (!/^(?:0|[1-9]\d{0,4})$/.test(text)) return undefined;
  const port = Number(text);
  return port < 65_536 ? port : undefined;
}

/** As the operating system would write it. */
function canonical(address: string): string {
  if (isIPv4(address)) return address;
  return unmapped(new SocketAddress({ address, family: 'ipv6' }).address);
}

// --- version 2 ------------------------------------------------------------------------------------------------------

const LOCAL = 0x20;
const PROXY = 0x21;

const ADDRESS_BYTES = new Map([
  [0, 0], // unspecified
  [1, 12], // IPv4
  [2, 36], // IPv6
  [3, 216], // Unix
]);
const STREAM = 1;
const DATAGRAM = 2;

function binaryHeader(bytes: Buffer): ProxyHeader | undefined {
  if (bytes.length < FIXED_BYTES) return undefined;
  const command = bytes[12];
  if (command !== LOCAL && command !== PROXY) throw new ProxyHeaderError('the header has an unknown command');
  const length = FIXED_BYTES + bytes.readUInt16BE(14);
  if (length > MOST_BINARY_BYTES) throw new ProxyHeaderError('the header is too long');
  if (bytes.length < length) return undefined;
  // §2.2: what else a LOCAL header holds is to be discarded
  if (command === LOCAL) return { length, source: undefined };
  return { length, source: binarySource(bytes.subarray(0, length)) };
}

function binarySource(header: Buffer): Endpoint | undefined {
  const kind = header[13] as number;
  const family = kind >> 4;
  const transport = kind & 0x0f;
  const size = ADDRESS_BYTES.get(family);
  if (size === undefined || transport > DATAGRAM) throw new ProxyHeaderError('the header has an unknown family');
  if (transport === DATAGRAM) throw new ProxyHeaderError('the header is not for a stream');
  const addresses = header.subarray(FIXED_BYTES, FIXED_BYTES + size);
  if (addresses.length < size) throw new ProxyHeaderError('the header is too short for its addresses');
  // what is behind unspecified addresses has no form that is known
  if (family === 0) return undefined;
  checkExtensions(header, FIXED_BYTES + size);
  if (transport !== STREAM) return undefined;
  if (family === 1) return { address: addresses.subarray(0, 4).join('.'), port: addresses.readUInt16BE(8) };
  if (family === 2) return { address: ipv6Of(addresses), port: addresses.readUInt16BE(32) };
  return undefined; // a Unix socket has no address that could be counted
}

function ipv6Of(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return canonical(groups.join(':'));
}

const CRC32C = 0x03;

/** §2.2: type, length, value. They are skipped, all but the check sum. */
function checkExtensions(header: Buffer, start: number): void {
  let at = start;
  while (at < header.length) {
    const value = at + 3;
    const end = value <= header.length ? value + header.readUInt16BE(at + 1) : Number.POSITIVE_INFINITY;
    if (end > header.length) throw new ProxyHeaderError('an extension of the header is cut off');
    if (header[at] === CRC32C) checkSum(header, value, end);
    at = end;
  }
}

/** §2.2.3: over the whole header, with zeroes in place of itself. */
function checkSum(header: Buffer, start: number, end: number): void {
  const right = end - start === 4 && header.readUInt32BE(start) === sumWithout(header, start, end);
  if (!right) throw new ProxyHeaderError('the check sum of the header is wrong');
}

const sumWithout = (header: Buffer, start: number, end: number): number =>
  crc32c(header.subarray(end), crc32c(Buffer.alloc(end - start), crc32c(header.subarray(0, start))));
