import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binaryHeader, extension, ipv4, ipv6, textHeader } from '../../../../tests/support/proxy-header.ts';
import { crc32c } from './crc32c.ts';
import { MOST_BINARY_BYTES, MOST_TEXT_BYTES, ProxyHeaderError, proxyHeader } from './proxy-protocol.ts';

const text = (line: string) => Buffer.from(`${line}\r\n`, 'latin1');

/** With its check sum in front of other extensions. */
function summed(header: Parameters<typeof binaryHeader>[0] = {}, wrong = 0): Buffer {
  const addresses = header.addresses ?? ipv4('192.0.2.7', 40_000);
  const empty = extension(3, Buffer.alloc(4));
  const bytes = binaryHeader({ ...header, addresses, extensions: [empty, ...(header.extensions ?? [])] });
  bytes.writeUInt32BE((crc32c(bytes) ^ wrong) >>> 0, 16 + addresses.length + 3);
  return bytes;
}

const IPV6 = ipv6('20010db8000000000000000000000001', 443);

const good: [string, Buffer, string | undefined][] = [
  ['text, IPv4', text('PROXY TCP4 192.0.2.7 198.51.100.1 40000 5222'), '192.0.2.7 40000'],
  ['text, IPv6', text('PROXY TCP6 2001:0db8:0:0::1 ::1 1 65535'), '2001:db8::1 1'],
  ['text, IPv4 within IPv6', text('PROXY TCP6 ::ffff:c000:0207 ::1 0 0'), '192.0.2.7 0'],
  [
    'text, as long as can be',
    text(`PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535`),
    'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535',
  ],
  ['text, unknown', text('PROXY UNKNOWN'), undefined],
  ['text, unknown with more', text(`PROXY UNKNOWN ${'f'.repeat(MOST_TEXT_BYTES - 16)}`), undefined],
  ['binary, IPv4', binaryHeader(), '192.0.2.7 40000'],
  ['binary, IPv6', binaryHeader({ kind: 0x21, addresses: IPV6 }), '2001:db8::1 443'],
  [
    'binary, IPv4 within IPv6',
    binaryHeader({ kind: 0x21, addresses: ipv6('00000000000000000000ffffc0000207', 9) }),
    '192.0.2.7 9',
  ],
  ['binary, local', binaryHeader({ command: 0x20, kind: 0, addresses: Buffer.alloc(0) }), undefined],
  ['binary, local with what is to be ignored', binaryHeader({ command: 0x20, kind: 0xff }), undefined],
  ['binary, unspecified', binaryHeader({ kind: 0, addresses: Buffer.from('anything') }), undefined],
  ['binary, unspecified transport', binaryHeader({ kind: 0x10 }), undefined],
  ['binary, Unix', binaryHeader({ kind: 0x31, addresses: Buffer.alloc(216) }), undefined],
  [
    'binary, extensions',
    binaryHeader({ extensions: [extension(4, Buffer.alloc(0)), extension(1, Buffer.from('h2'))] }),
    '192.0.2.7 40000',
  ],
  ['binary, check sum', summed(), '192.0.2.7 40000'],
  [
    'binary, check sum and more',
    summed({ kind: 0x21, addresses: IPV6, extensions: [extension(2, Buffer.from('a.lit'))] }),
    '2001:db8::1 443',
  ],
  [
    'binary, as long as can be',
    binaryHeader({ extensions: [extension(0xee, Buffer.alloc(MOST_BINARY_BYTES - 31))] }),
    '192.0.2.7 40000',
  ],
];

const bad: [string, Buffer, RegExp][] = [
  ['a stream', Buffer.from('<?xml'), /no header/],
  ['a handshake', Buffer.from([0x16, 3, 1]), /no header/],
  ['almost', Buffer.from('PROXY\t'), /no header/],
  ['text without an end', Buffer.from(`PROXY UNKNOWN ${'f'.repeat(MOST_TEXT_BYTES - 14)}`), /no end/],
  ...[
    'PROXY TCP4 192.0.2.7 198.51.100.1 40000',
    'PROXY TCP4 192.0.2.7 198.51.100.1 40000 5222 1',
    'PROXY TCP4  192.0.2.7 198.51.100.1 40000 5222',
    'PROXY TCP4 192.0.2.07 198.51.100.1 40000 5222',
    'PROXY TCP4 ::1 ::1 40000 5222',
    'PROXY TCP4 192.0.2.7 example.lit 40000 5222',
    'PROXY TCP6 192.0.2.7 198.51.100.1 40000 5222',
    'PROXY TCP6 fe80::1%eth0 ::1 40000 5222',
    'PROXY TCP4 192.0.2.7 198.51.100.1 65536 5222',
    'PROXY TCP4 192.0.2.7 198.51.100.1 040 5222',
    'PROXY TCP4 192.0.2.7 198.51.100.1 40000 -1',
    'PROXY UDP4 192.0.2.7 198.51.100.1 40000 5222',
    'PROXY tcp4 192.0.2.7 198.51.100.1 40000 5222',
    'PROXY ',
  ].map((line): [string, Buffer, RegExp] => [JSON.stringify(line), text(line), /not well-formed/]),
  ['another version', binaryHeader({ command: 0x11 }), /command/],
  ['another command', binaryHeader({ command: 0x22 }), /command/],
  ['another family', binaryHeader({ kind: 0x41 }), /family/],
  ['another transport', binaryHeader({ kind: 0x13 }), /family/],
  ['datagrams', binaryHeader({ kind: 0x12 }), /stream/],
  ['too few addresses', binaryHeader({ kind: 0x21 }), /too short/],
  ['one byte too much', binaryHeader({ length: MOST_BINARY_BYTES - 15 }), /too long/],
  ['a cut extension', binaryHeader({ extensions: [Buffer.from([1, 0])] }), /cut off/],
  ['an extension too long', binaryHeader({ extensions: [Buffer.from([1, 0, 9, 1])] }), /cut off/],
  ['a wrong check sum', summed({}, 1), /check sum/],
  ['a check sum of another length', binaryHeader({ extensions: [extension(3, Buffer.alloc(3))] }), /check sum/],
];

const told = (bytes: Buffer) => {
  const header = proxyHeader(bytes);
  return header?.source && `${header.source.address} ${header.source.port}`;
};

describe('a header that is right', () => {
  it.each(good)('%s', (_, bytes, source) => {
    expect(told(bytes)).toBe(source);
    expect(proxyHeader(bytes)?.length).toBe(bytes.length);
    const more = Buffer.concat([bytes, Buffer.from('\r\nPROXY <stream:stream>')]);
    expect(proxyHeader(more)).toEqual(proxyHeader(bytes));
  });

  it.each(good)('%s is waited for, byte by byte', (_, bytes) => {
    for (let length = 0; length < bytes.length; length++)
      expect(proxyHeader(bytes.subarray(0, length))).toBeUndefined();
  });
});

describe('what is refused', () => {
  it.each(bad)('%s', (_, bytes, message) => {
    expect(() => proxyHeader(bytes)).toThrow(message);
    expect(() => proxyHeader(bytes)).toThrow(ProxyHeaderError);
  });

  it('is refused at its first wrong byte', () => {
    expect(() => proxyHeader(Buffer.from('Q'))).toThrow(/no header/);
    expect(() => proxyHeader(Buffer.from('\r\n\r\r'))).toThrow(/no header/);
    expect(() => proxyHeader(Buffer.from('PROXZ'))).toThrow(/no header/);
  });
});

/** The header, what is wrong with it, or that more has to come. */
function outcome(bytes: Buffer): unknown {
  try {
    return proxyHeader(bytes) ?? 'more';
  } catch (error) {
    if (error instanceof ProxyHeaderError) return error.message;
    throw error;
  }
}

describe('any bytes', () => {
  const start = fc.constantFrom(
    Buffer.alloc(0),
    ...good.map(([, bytes]) => bytes.subarray(0, 16)),
    Buffer.from('PROXY TCP4 '),
  );
  const arbitrary = fc
    .tuple(start, fc.uint8Array({ maxLength: 300 }), fc.option(fc.tuple(fc.nat(), fc.nat(255))))
    .map(([head, tail, change]) => {
      const bytes = Buffer.concat([head, tail]);
      if (change !== null && bytes.length > 0) bytes[change[0] % bytes.length] = change[1];
      return bytes;
    });

  it('are a header, none, or the start of one, within its bounds', () => {
    fc.assert(
      fc.property(arbitrary, (bytes) => {
        const said = outcome(bytes);
        if (said === 'more') expect(bytes.length).toBeLessThan(MOST_BINARY_BYTES);
        else if (typeof said === 'object')
          expect((said as { length: number }).length).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 5000 },
    );
  });

  it('once told, are told the same whatever follows', () => {
    fc.assert(
      fc.property(arbitrary, fc.nat(), (bytes, at) => {
        const early = outcome(bytes.subarray(0, at % (bytes.length + 1)));
        if (early !== 'more') expect(outcome(bytes)).toEqual(early);
      }),
      { numRuns: 5000 },
    );
  });

  it('of text, the address is what was written', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(65_535), (address, port) => {
        const header = proxyHeader(textHeader(address, port));
        expect(header?.source?.port).toBe(port);
        const again = proxyHeader(textHeader(header?.source?.address ?? '', port));
        expect(again?.source).toEqual(header?.source);
      }),
    );
  });
});
