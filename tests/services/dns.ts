import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ServiceRecord {
  readonly target: string;
  readonly port: number;
  readonly priority?: number;
  readonly weight?: number;
}

/** A certificate that DNS names (RFC 6698 §2.1). */
export interface CertificateRecord {
  readonly usage: number;
  readonly selector: number;
  readonly matching: number;
  readonly data: Buffer;
}

/** What DNS says about one name. */
export interface DnsRecords {
  readonly srv?: readonly ServiceRecord[];
  /** IPv4 and IPv6. */
  readonly addresses?: readonly string[];
  readonly tlsa?: readonly CertificateRecord[];
  /** The name that this one is an alias of, which is answered with it. */
  readonly alias?: string;
  /** The answer says that DNSSEC secures it. */
  readonly secure?: boolean;
  readonly ttlSeconds?: number;
  /** The query is not answered. */
  readonly silent?: boolean;
  /** The query is answered with SERVFAIL. */
  readonly failing?: boolean;
}

const A = 1;
const AAAA = 28;
const SRV = 33;
const CNAME = 5;
const TLSA = 52;
const TYPES = new Map([
  [A, 'A'],
  [AAAA, 'AAAA'],
  [SRV, 'SRV'],
  [TLSA, 'TLSA'],
]);

/** In the flags of an answer: it was cut, and it is secure. */
const TRUNCATED = 0x0200;
const AUTHENTIC = 0x0020;
/** Larger ones come by TCP. */
const MOST_UDP_BYTES = 1232;

const SERVFAIL = 2;
const NXDOMAIN = 3;

/** A DNS server on loopback, by UDP and TCP, that knows what a test has told it and that nothing else exists. */
export class TestDns implements AsyncDisposable {
  readonly #udp: UdpSocket = createSocket('udp4');
  readonly #tcp: Server = createServer((socket) => this.#serve(socket));
  readonly #open = new Set<Socket>();
  readonly #names = new Map<string, DnsRecords>();
  /** What was asked: `SRV _xmpp-server._tcp.capulet.example`. */
  readonly asked: string[] = [];

  private constructor() {
    const heard = new Set<string>();
    this.#udp.on('message', (query, from) => {
      // who has waited for a second says it again, though it be the machine that is slow: that is no other question
      const question = `${from.port} ${query.toString('latin1')}`;
      let answer = this.#answer(query, heard.has(question));
      heard.add(question);
      if (answer !== undefined && answer.length > MOST_UDP_BYTES) answer = cut(answer, query);
      if (answer !== undefined) this.#udp.send(answer, from.port, from.address);
    });
  }

  /** Ends with the test. */
  static async start(): Promise<TestDns> {
    const dns = await TestDns.startLasting();
    onTestFinished(() => dns[Symbol.asyncDispose]());
    return dns;
  }

  /** Starts one that whoever starts it ends. */
  static async startLasting(): Promise<TestDns> {
    for (;;) {
      const dns = new TestDns();
      dns.#udp.bind(0, '127.0.0.1');
      await once(dns.#udp, 'listening');
      dns.#tcp.listen(dns.port, '127.0.0.1');
      // the port that is free for UDP may be taken for TCP
      const listens = await once(dns.#tcp, 'listening').then(
        () => true,
        () => false,
      );
      if (listens) return dns;
      dns.#udp.close();
    }
  }

  get port(): number {
    return (this.#udp.address() as AddressInfo).port;
  }

  /** As the configuration of this server names it. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  set(name: string, records: DnsRecords): void {
    this.#names.set(name.toLowerCase(), records);
  }

  /**
   * Has a domain be served at a port of this machine; with `tls`, also with TLS from the first byte at another one. The
   * name of the machine is one that every resolver knows: some ask this server for services alone.
   */
  serve(domain: string, port: number, tls?: number): void {
    const target = 'localhost';
    this.set(`_xmpp-server._tcp.${domain}`, { srv: [{ target, port, priority: 10 }] });
    if (tls !== undefined) this.set(`_xmpps-server._tcp.${domain}`, { srv: [{ target, port: tls, priority: 5 }] });
    if (!this.#names.has(target)) this.set(target, { addresses: ['127.0.0.1'] });
  }

  forget(name: string): void {
    this.#names.delete(name.toLowerCase());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#udp.close();
    this.#tcp.close();
    await once(this.#tcp, 'close');
  }

  #serve(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    socket.on('error', () => {});
    let received = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const answer = this.#answer(received.subarray(2, end));
        received = received.subarray(end);
        if (answer !== undefined) socket.write(Buffer.concat([uint16(answer.length), answer]));
      }
    });
  }

  #answer(query: Buffer, again = false): Buffer | undefined {
    const { name, type, end } = readQuestion(query);
    if (!again) this.asked.push(`${TYPES.get(type) ?? type} ${name}`);
    const records = this.#names.get(name);
    if (records?.silent) return undefined;
    const alias = records?.alias;
    const data = alias === undefined ? dataOf(records, type) : dataOf(this.#names.get(alias), type);
    const code = records === undefined ? this.#missing(name) : records.failing ? SERVFAIL : 0;
    const ttl = records?.ttlSeconds ?? 0;
    // the name is that of the question, which stands behind the header
    const owner = alias === undefined ? uint16(0xc00c) : nameBytes(alias);
    const answers = data.map((each) => Buffer.concat([owner, uint16(type, 1, 0, ttl, each.length), each]));
    if (alias !== undefined) answers.unshift(Buffer.concat([uint16(0xc00c, CNAME, 1, 0, ttl, owner.length), owner]));
    const authority = answers.length === 0 ? [NOTHING] : [];
    const counts = uint16(1, answers.length, authority.length, 0);
    const secure = records?.secure ? AUTHENTIC : 0;
    return Buffer.concat([
      query.subarray(0, 2),
      uint16(0x8580 | secure | code),
      counts,
      query.subarray(12, end),
      ...answers,
      ...authority,
    ]);
  }

  /** A name exists, without anything, where there is something below it. */
  #missing(name: string): number {
    return [...this.#names.keys()].some((known) => known.endsWith(`.${name}`)) ? 0 : NXDOMAIN;
  }
}

/** An answer that says only that it does not fit. */
const cut = (answer: Buffer, query: Buffer): Buffer =>
  Buffer.concat([
    answer.subarray(0, 2),
    uint16(answer.readUInt16BE(2) | TRUNCATED, 1, 0, 0, 0),
    query.subarray(12, readQuestion(query).end),
  ]);

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** The root's SOA, which says for how long others may take it that there is nothing: not at all. */
const NOTHING = Buffer.concat([
  Buffer.from([0]),
  uint16(6, 1, 0, 0, 22),
  Buffer.from([0, 0]),
  uint16(...new Array<number>(10).fill(0)),
]);

function dataOf(records: DnsRecords | undefined, type: number): Buffer[] {
  const { srv = [], addresses = [], tlsa = [], failing } = records ?? {};
  if (failing) return [];
  switch (type) {
    case SRV:
      return srv.map(({ target, port, priority = 0, weight = 0 }) =>
        Buffer.concat([uint16(priority, weight, port), nameBytes(target)]),
      );
    case TLSA:
      return tlsa.map(({ usage, selector, matching, data }) =>
        Buffer.concat([Buffer.from([usage, selector, matching]), data]),
      );
    case A:
      return addresses.filter((each) => !isIPv6(each)).map((each) => Buffer.from(each.split('.').map(Number)));
    case AAAA:
      return addresses.filter((each) => isIPv6(each)).map(addressBytes);
    default:
      return [];
  }
}

/** `.` is the root. */
const nameBytes = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .split('.')
      .filter((label) => label !== '')
      .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);

function addressBytes(text: string): Buffer {
  const [head = '', tail] = text.split('::');
  const groups = (part: string | undefined) => (part ? part.split(':').map((group) => Number.parseInt(group, 16)) : []);
  const [before, after] = [groups(head), groups(tail)];
  return uint16(...before, ...new Array(8 - before.length - after.length).fill(0), ...after);
}

function uint16(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
}
