import type { RecordWithTtl } from 'node:dns';
import { Resolver as DnsResolver, lookup } from 'node:dns/promises';
import { domainToASCII } from 'node:url';
import { ConnectionFailure } from './connection-failure.ts';
import type { PeerPolicy } from './policy.ts';
import { inOrder, type Service } from './srv-order.ts';
import type { Tell } from './story.ts';
import { isUsable, type TlsaRecord, tlsaWords } from './tlsa.ts';
import { ValidatingDns } from './validating-dns.ts';

/** A place where the server of a domain may be found. */
export interface Target {
  /** The name that stands for it in DNS. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly tls: 'direct' | 'starttls';
  /** The certificates that secure DNS names for it (RFC 7673); undefined where it names none. */
  readonly tlsa?: readonly TlsaRecord[];
}

/** What is asked of DNS; Node's own resolver can answer it. */
export interface Dns extends Pick<DnsResolver, 'resolveSrv' | 'cancel'>, Partial<Secured> {
  resolve4(name: string, options: { ttl: true }): Promise<RecordWithTtl[]>;
  resolve6(name: string, options: { ttl: true }): Promise<RecordWithTtl[]>;
}

/** What is known beside, where signatures are checked. */
type Secured = Pick<ValidatingDns, 'isSecure' | 'tlsa' | 'ttlMs'>;

export interface ResolverSettings {
  /** Empty: those of the machine. */
  readonly servers: readonly string[];
  /** Those that check the signatures of DNSSEC, for domains whose TLSA records count. */
  readonly validating?: readonly string[];
  readonly timeoutMs: number;
}

/** Of the services and addresses that somebody names in DNS, so many are tried. */
const MOST_SERVICES = 8;
const MOST_ADDRESSES = 4;
const MOST_KEPT = 1000;
/** Node does not tell how long SRV records hold. */
const LONGEST_MS = 60_000;

const DEFAULT_PORT = 5269;

type Addresses = { readonly list: readonly string[]; readonly ttlMs: number };

/** Where to connect for a domain, by DNS (RFC 6120 §3.2, XEP-0368). */
export class Resolver {
  readonly #settings: () => ResolverSettings;
  readonly #now: () => number;
  readonly #dns: (settings: ResolverSettings, dane: boolean) => Dns;
  readonly #kept = new Map<string, { readonly targets: readonly Target[]; readonly until: number }>();

  constructor(settings: () => ResolverSettings, now = () => performance.now(), dns = machineDns) {
    this.#settings = settings;
    this.#now = now;
    this.#dns = dns;
  }

  /** In the order in which to try them; at least one. Throws a ConnectionFailure where there is none. */
  async targets(domain: string, policy: PeerPolicy, tell: Tell = () => {}): Promise<readonly Target[]> {
    const place = policy.connectTo;
    const key = [domain, policy.dane, place?.host, place?.port, place?.tls].join(' ');
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.until > this.#now()) {
      tell(`DNS: ${kept.targets.length} known from a while ago`);
      return kept.targets;
    }
    this.#kept.delete(key);
    const { targets, ttlMs } = await this.#ask(domain, policy, tell);
    if (this.#kept.size >= MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value ?? '');
    if (ttlMs > 0) this.#kept.set(key, { targets, until: this.#now() + ttlMs });
    return targets;
  }

  /** The addresses of a host that is no XMPP server. Throws where DNS does not say. */
  async addresses(host: string): Promise<readonly string[]> {
    const settings = this.#settings();
    const dns = this.#dns(settings, false);
    const timer = setTimeout(() => dns.cancel(), settings.timeoutMs);
    try {
      return (await addresses(dns, host, settings.servers.length === 0)).list;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Forgets what is known of a domain: the next question goes to DNS. */
  forget(domain: string): void {
    for (const key of this.#kept.keys()) if (key.startsWith(`${domain} `)) this.#kept.delete(key);
  }

  async #ask(domain: string, { connectTo: place, dane }: PeerPolicy, tell: Tell) {
    const settings = this.#settings();
    const dns = this.#dns(settings, dane);
    const timer = setTimeout(() => dns.cancel(), settings.timeoutMs);
    try {
      if (place !== undefined) {
        tell(`configured: connect to ${place.host} port ${place.port}`);
        return await this.#resolve(dns, [{ ...place, name: place.host, priority: 0, weight: 0, secure: true }], tell);
      }
      const ascii = domainToASCII(domain);
      if (ascii === '' || domain.startsWith('[') || /^[0-9.]+$/.test(ascii)) {
        throw new ConnectionFailure('dns', `${domain} is no name that DNS could know.`, { lasting: true });
      }
      return await this.#resolve(dns, await services(dns, ascii, tell), tell);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The addresses of these services, in order. */
  async #resolve(dns: Dns, services: readonly Place[], tell: Tell) {
    const failures: unknown[] = [];
    const machine = this.#settings().servers.length === 0;
    const found = await Promise.all(
      services.map(async ({ name, port, tls, secure }) => {
        try {
          const { list, ttlMs } = await addresses(dns, name, machine);
          tell(`DNS: ${name} has ${list.join(', ') || 'no address'}`);
          const tlsa = secure && list.length > 0 ? await tlsaOf(dns, name, port, tell) : undefined;
          const about = { host: name, port, tls, ...(tlsa && { tlsa }) };
          return { targets: list.map((address): Target => ({ ...about, address })), ttlMs };
        } catch (error) {
          tell(`DNS: ${name}: ${dnsWords(error)}`);
          failures.push(error);
          return { targets: [], ttlMs: 0 };
        }
      }),
    );
    const targets = found.flatMap((each) => each.targets);
    if (targets.length > 0) {
      const { ttlMs: secureMs = LONGEST_MS } = dns;
      const ttlMs = Math.min(
        LONGEST_MS,
        secureMs,
        ...found.filter((each) => each.targets.length > 0).map((each) => each.ttlMs),
      );
      return { targets, ttlMs };
    }
    const names = services.map(({ name }) => name).join(', ');
    if (failures.length > 0) throw away(`DNS did not answer for ${names}: ${dnsWords(failures[0])}.`, failures[0]);
    throw new ConnectionFailure('dns', `DNS knows no address of ${names}.`, { lasting: true });
  }
}

/** One for each question, so that the end of its time is that of nobody else's. */
function machineDns({ servers, validating = [], timeoutMs }: ResolverSettings, dane: boolean): Dns {
  if (dane && validating.length > 0) return new ValidatingDns({ servers: validating, timeoutMs });
  const dns = new DnsResolver({ timeout: Math.max(500, Math.floor(timeoutMs / 4)), tries: 2 });
  if (servers.length > 0) dns.setServers(servers);
  return dns;
}

/** A service, and whether it is secure that it is the domain's. */
type Place = Service & { readonly secure: boolean };

/** What SRV records say, or the domain itself where there are none (RFC 6120 §3.2.2). */
async function services(dns: Dns, domain: string, tell: Tell): Promise<Place[]> {
  const isSecure = (service: string) => dns.isSecure?.('SRV', `_${service}._tcp.${domain}`) ?? false;
  const ask = async (service: string, tls: Service['tls']) => {
    const records = await orNone(dns.resolveSrv(`_${service}._tcp.${domain}`));
    const secure = isSecure(service);
    if (records instanceof Error) tell(`DNS: SRV of _${service}._tcp.${domain}: ${dnsWords(records)}`);
    else {
      const list = records.map(({ name, port, priority, weight }) => `${name || '.'}:${port} (${priority} ${weight})`);
      const words = dns.isSecure === undefined ? '' : secure ? ', secure by DNSSEC' : ', not secure';
      tell(`DNS: SRV of _${service}._tcp.${domain}: ${list.join(', ') || 'none'}${words}`);
    }
    return records instanceof Error ? records : records.map((each): Place => ({ ...each, tls, secure }));
  };
  const [plain, direct] = await Promise.all([ask('xmpp-server', 'starttls'), ask('xmpps-server', 'direct')]);
  const failure = [plain, direct].find((each) => each instanceof Error);
  const known = [plain, direct].flatMap((each) => (each instanceof Error ? [] : each));
  const usable = known.filter(({ name }) => name !== '' && name !== '.');
  if (usable.length > 0) return inOrder(usable).slice(0, MOST_SERVICES);
  if (failure !== undefined) throw away(`DNS did not answer for ${domain}: ${dnsWords(failure)}.`, failure);
  // RFC 2782: a target of "." says that there is no such service; the one with direct TLS is not the only one
  if (known.some(({ tls }) => tls === 'starttls')) {
    throw new ConnectionFailure('dns', `${domain} says in DNS that it has no XMPP server.`, { lasting: true });
  }
  const secure = isSecure('xmpp-server') && isSecure('xmpps-server');
  return [{ name: domain, port: DEFAULT_PORT, priority: 0, weight: 0, tls: 'starttls', secure }];
}

/**
 * The certificates that DNS names for a port of a host. Where its addresses are not secure, nor can these be (RFC 7673 §3.2),
 * and some servers of such names fail when they are asked. A failure is the end of this way: whoever may suppress an answer
 * could have any certificate believed.
 */
async function tlsaOf(dns: Dns, host: string, port: number, tell: Tell): Promise<readonly TlsaRecord[] | undefined> {
  if (dns.tlsa === undefined || dns.isSecure === undefined) return undefined;
  if (isAddress(host)) return undefined;
  if (!dns.isSecure('A', host) && !dns.isSecure('AAAA', host)) {
    tell(`DNS: the addresses of ${host} are not secure, so no TLSA records count`);
    return undefined;
  }
  const name = `_${port}._tcp.${host}`;
  const records = await orNone(dns.tlsa(name));
  if (records instanceof Error) throw records;
  if (records.length === 0) {
    tell(`DNS: TLSA of ${name}: none`);
    return undefined;
  }
  const list = [...new Set(records.map(tlsaWords))].join(', ');
  if (!dns.isSecure('TLSA', name)) {
    tell(`DNS: TLSA of ${name}: ${list}, not secure, so they do not count`);
    return undefined;
  }
  const usable = records.filter(isUsable);
  tell(`DNS: TLSA of ${name}: ${list}, secure by DNSSEC; ${usable.length} of ${records.length} can be used`);
  return usable.length > 0 ? usable : undefined;
}

const isAddress = (name: string): boolean => /^[0-9.]+$/.test(name) || name.includes(':');

/** IPv6 and IPv4 in turn: where one of them leads nowhere the other is not far. */
async function addresses(dns: Dns, name: string, machine: boolean): Promise<Addresses> {
  if (isAddress(name)) return { list: [name], ttlMs: LONGEST_MS };
  const [six, four] = await Promise.all([
    orNone(dns.resolve6(name, { ttl: true })),
    orNone(dns.resolve4(name, { ttl: true })),
  ]);
  const known = [six, four].map((each) => (each instanceof Error ? [] : each.slice(0, MOST_ADDRESSES)));
  const [sixes = [], fours = []] = known;
  const list = Array.from({ length: Math.max(sixes.length, fours.length) }, (_, index) => index)
    .flatMap((index) => [sixes[index]?.address, fours[index]?.address])
    .filter((each) => each !== undefined);
  if (list.length > 0) return { list, ttlMs: Math.min(...known.flat().map(({ ttl }) => ttl)) * 1000 };
  const hosts = machine ? await orNone(lookup(name, { all: true })) : []; // what the machine knows beside DNS
  if (!(hosts instanceof Error) && hosts.length > 0) return { list: hosts.map((each) => each.address), ttlMs: 0 };
  const failure = [six, four].find((each) => each instanceof Error);
  if (failure !== undefined) throw failure;
  return { list: [], ttlMs: 0 };
}

/** An answer that there is none is an answer. */
async function orNone<T>(question: Promise<T[]>): Promise<T[] | Error> {
  try {
    return await question;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOTFOUND' || code === 'ENODATA' ? [] : (error as Error);
  }
}

const away = (message: string, cause: unknown) => new ConnectionFailure('dns', message, { timeout: true, cause });

function dnsWords(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ETIMEOUT':
    case 'ECANCELLED':
      return 'no answer in time';
    case 'ESERVFAIL':
      return 'the DNS server failed (SERVFAIL)';
    case 'EREFUSED':
      return 'the DNS server refused (REFUSED)';
    case 'ECONNREFUSED':
      return 'nobody listens at the DNS server';
    default:
      return code ?? message;
  }
}
