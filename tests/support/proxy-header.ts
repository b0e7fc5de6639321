import { isIPv4 } from 'node:net';

/** Headers of the PROXY protocol as load balancers write them. */

export const textHeader = (
  source: string,
  port = 40_000,
  destination = isIPv4(source) ? '192.0.2.254' : '2001:db8::ff',
) => Buffer.from(`PROXY ${isIPv4(source) ? 'TCP4' : 'TCP6'} ${source} ${destination} ${port} 5222\r\n`);

export interface BinaryHeader {
  /** Version and command: 0x21 is PROXY, 0x20 LOCAL. */
  readonly command?: number;
  /** Family and transport: 0x11 is TCP over IPv4, 0x21 over IPv6. */
  readonly kind?: number;
  readonly addresses?: Buffer;
  readonly extensions?: readonly Buffer[];
  /** What it says of its length, where that is not the truth. */
  readonly length?: number;
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n');

export function binaryHeader(header: BinaryHeader = {}): Buffer {
  const { command = 0x21, kind = 0x11, addresses = ipv4('192.0.2.7', 40_000), extensions = [] } = header;
  const rest = Buffer.concat([addresses, ...extensions]);
  const fixed = Buffer.from([command, kind, 0, 0]);
  fixed.writeUInt16BE(header.length ?? rest.length, 2);
  return Buffer.concat([SIGNATURE, fixed, rest]);
}

const ports = (source: number) => Buffer.from([source >> 8, source & 0xff, 0x14, 0x66]);

/** Source and destination. */
export const ipv4 = (source: string, port: number) =>
  Buffer.concat([Buffer.from(source.split('.').map(Number)), Buffer.from([192, 0, 2, 254]), ports(port)]);

/** The source in hexadecimal digits. */
export const ipv6 = (source: string, port: number) =>
  Buffer.concat([Buffer.from(source, 'hex'), Buffer.alloc(16, 1), ports(port)]);

export function extension(type: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);
}
