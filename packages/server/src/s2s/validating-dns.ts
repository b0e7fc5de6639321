import { randomInt } from 'node:crypto';
import type { RecordWithTtl, SrvRecord } from 'node:dns';
import type { Answer, DecodedPacket } from 'dns-packet';
import { askDns } from '../net/dns-exchange.ts';
import type { TlsaRecord } from './tlsa.ts';

/** What there is to ask. */
type Kind = 'SRV' | 'A' | 'AAAA' | 'TLSA';

interface Found<T> {
  readonly records: T[];
  /** The server says that DNSSEC secures this, also that there is nothing (RFC 4035 §3.2.3). */
  readonly secure: boolean;
  readonly ttl: number;
}

export interface ValidatingDnsSettings {
  /** Those who check signatures; at least one. */
  readonly servers: readonly string[];
  readonly timeoutMs: number;
}

/** As larger datagrams get lost (RFC 9715); what does not fit comes by TCP. */
const UDP_BYTES = 1232;
const MOST_ALIASES = 8;
/** Of the records of one name, so many are looked at. */
const MOST_RECORDS = 64;

const SERVER_FAILURE = 'SERVFAIL';

/**
 * Asks DNS servers that check the signatures of DNSSEC, and remembers what of their answers is secure. It answers as Node's
 * resolver does, which does not tell that. One for each domain that is looked up.
 */
export class ValidatingDns {
  readonly #settings: ValidatingDnsSettings;
  readonly #aborting = new AbortController();
  readonly #secure = new Set<string>();
  /** The shortest time for which something holds that was found, in milliseconds. */
  ttlMs = Number.POSITIVE_INFINITY;

  constructor(settings: ValidatingDnsSettings) {
    this.#settings = settings;
  }

  /** Whether what was answered to this question is secure. */
  isSecure(kind: Kind, name: string): boolean {
    return this.#secure.has(`${kind} ${name}`);
  }

  async resolveSrv(name: string): Promise<SrvRecord[]> {
    const { records } = await this.#ask('SRV', name);
    return records.flatMap((record) => {
      if (record.type !== 'SRV') return [];
      const { target, port, priority = 0, weight = 0 } = record.data;
      return [{ name: target === '.' ? '' : target, port, priority, weight }];
    });
  }

  resolve4 = (name: string): Promise<RecordWithTtl[]> => this.#addresses('A', name);
  resolve6 = (name: string): Promise<RecordWithTtl[]> => this.#addresses('AAAA', name);

  /** Those of a port, whether they are secure or not. */
  async tlsa(name: string): Promise<TlsaRecord[]> {
    const { records } = await this.#ask('TLSA', name);
    return records.flatMap((record) => {
      if (record.type !== 'TLSA') return [];
      const { usage, selector, matchingType, certificate } = record.data;
      return [{ usage, selector, matching: matchingType, data: certificate }];
    });
  }

  cancel(): void {
    this.#aborting.abort();
  }

  async #addresses(kind: 'A' | 'AAAA', name: string): Promise<RecordWithTtl[]> {
    const { records } = await this.#ask(kind, name);
    return records.flatMap((record) =>
      record.type === kind ? [{ address: String(record.data), ttl: record.ttl ?? 0 }] : [],
    );
  }

  /** Throws an error with a code as Node's resolver has them. */
  async #ask(kind: Kind, name: string): Promise<Found<Answer>> {
    const { servers, timeoutMs } = this.#settings;
    if (!isAskable(name)) throw Object.assign(new Error('There is no such name'), { code: 'ENOTFOUND' });
    let failure: unknown;
    for (const server of servers) {
      const signal = AbortSignal.any([this.#aborting.signal, AbortSignal.timeout(timeoutMs / servers.length)]);
      try {
        const found = await question(server, kind, name, signal);
        if (found.secure) this.#secure.add(`${kind} ${name}`);
        if (found.records.length > 0) this.ttlMs = Math.min(this.ttlMs, found.ttl * 1000);
        return found;
      } catch (error) {
        failure = error;
        if (this.#aborting.signal.aborted) break;
      }
    }
    throw failure;
  }
}

async function question(server: string, kind: Kind, name: string, signal: AbortSignal): Promise<Found<Answer>> {
  // a node on which nothing asks for it never loads it
  const { default: dns } = await import('dns-packet');
  const query = dns.encode({
    type: 'query',
    id: randomInt(0x10000),
    // RFC 6840 §5.7: AD in a question asks for it in the answer
    flags: dns.RECURSION_DESIRED | dns.AUTHENTIC_DATA,
    questions: [{ type: kind, name, class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: UDP_BYTES,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
  const message = await askDns(server, query, signal);
  let packet: DecodedPacket & { readonly rcode?: string };
  try {
    packet = dns.decode(message);
  } catch (error) {
    throw Object.assign(new Error('The answer is no DNS message', { cause: error }), { code: 'EBADRESP' });
  }
  const { rcode = SERVER_FAILURE } = packet;
  if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN') {
    throw Object.assign(new Error(`DNS: ${rcode}`), { code: `E${rcode}` });
  }
  return found(packet, kind, name);
}

/** What an answer says of a name, or of the one that it is an alias of. */
function found({ answers = [], flag_ad: secure }: DecodedPacket, kind: Kind, name: string): Found<Answer> {
  let owner = canonical(name);
  let ttl = Number.POSITIVE_INFINITY;
  const at = (type: string) => answers.filter((each) => each.type === type && canonical(each.name) === owner);
  for (let steps = 0; steps < MOST_ALIASES; steps++) {
    const alias = at('CNAME')[0];
    if (alias?.type !== 'CNAME') break;
    owner = canonical(alias.data);
    ttl = Math.min(ttl, alias.ttl ?? 0);
  }
  const records = at(kind).slice(0, MOST_RECORDS);
  for (const record of records) if (record.type === kind) ttl = Math.min(ttl, record.ttl ?? 0);
  return { records, secure, ttl };
}

const canonical = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** RFC 1035 §2.3.4 */
const isAskable = (name: string): boolean =>
  Buffer.byteLength(name) < 254 && name.split('.').every((label) => label.length > 0 && Buffer.byteLength(label) < 64);
