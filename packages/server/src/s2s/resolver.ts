import { Resolver as DnsResolver, lookup } from 'node:dns/promises';
import { domainToASCII } from 'node:url';
import { ConnectionFailure } from './connection-failure.ts';
import type { PeerPolicy } from './policy.ts';
import { inOrder, type Service } from './srv-order.ts';
import type { Tell } from './story.ts';

/** A place where the server of a domain may be found. */
export interface Target {
  /** The name that stands for it in DNS. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly tls: 'direct' | 'starttls';
}

/** What is asked of DNS; Node's own resolver can answer it. */
export type Dns = Pick<DnsResolver, 'resolveSrv' | 'resolve4' | 'resolve6' | 'cancel'>;

export interface ResolverSettings {
  /** Empty: those of the machine. */
  readonly servers: readonly string[];
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
  readonly #dns: (settings: ResolverSettings) => Dns;
  readonly #kept = new Map<string, { readonly targets: readonly Target[]; readonly until: number }>();

  constructor(settings: () => ResolverSettings, now = () => performance.now(), dns = machineDns) {
    this.#settings = settings;
    this.#now = now;
    this.#dns = dns;
  }

  /** In the order in which to try them; at least one. Throws a ConnectionFailure where there is none. */
  async targets(domain: string, policy: PeerPolicy, tell: Tell = () => {}): Promise<readonly Target[]> {
    const place = policy.connectTo;
    const key = place === undefined ? domain : `${domain} ${place.host} ${place.port} ${place.tls}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.until > this.#now()) {
      tell(`DNS: ${kept.targets.length} known from a while ago`);
      return kept.targets;
    }
    this.#kept.delete(key);
    const { targets, ttlMs } = await this.#ask(domain, place, tell);
    if (this.#kept.size >= MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value ?? '');
    if (ttlMs > 0) this.#kept.set(key, { targets, until: this.#now() + ttlMs });
    return targets;
  }

  /** Forgets what is known of a domain: the next question goes to DNS. */
  forget(domain: string): void {
    for (const key of this.#kept.keys()) if (key === domain || key.startsWith(`${domain} `)) this.#kept.delete(key);
  }

  async #ask(domain: string, place: PeerPolicy['connectTo'], tell: Tell) {
    const settings = this.#settings();
    const dns = this.#dns(settings);
    const timer = setTimeout(() => dns.cancel(), settings.timeoutMs);
    try {
      if (place !== undefined) {
        tell(`configured: connect to ${place.host} port ${place.port}`);
        return await this.#resolve(dns, [{ ...place, name: place.host, priority: 0, weight: 0 }], tell);
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
  async #resolve(dns: Dns, services: readonly Service[], tell: Tell) {
    const failures: unknown[] = [];
    const machine = this.#settings().servers.length === 0;
    const found = await Promise.all(
      services.map(async ({ name, port, tls }) => {
        try {
          const { list, ttlMs } = await addresses(dns, name, machine);
          tell(`DNS: ${name} has ${list.join(', ') || 'no address'}`);
          return { targets: list.map((address): Target => ({ host: name, address, port, tls })), ttlMs };
        } catch (error) {
          tell(`DNS: ${name}: ${dnsWords(error)}`);
          failures.push(error);
          return { targets: [], ttlMs: 0 };
        }
      }),
    );
    const targets = found.flatMap((each) => each.targets);
    if (targets.length > 0) {
      const ttlMs = Math.min(LONGEST_MS, ...found.filter((each) => each.targets.length > 0).map((each) => each.ttlMs));
      return { targets, ttlMs };
    }
    const names = services.map(({ name }) => name).join(', ');
    if (failures.length > 0) throw away(`DNS did not answer for ${names}: ${dnsWords(failures[0])}.`, failures[0]);
    throw new ConnectionFailure('dns', `DNS knows no address of ${names}.`, { lasting: true });
  }
}

/** One for each question, so that the end of its time is that of nobody else's. */
function machineDns({ servers, timeoutMs }: ResolverSettings): Dns {
  const dns = new DnsResolver({ timeout: Math.max(500, Math.floor(timeoutMs / 4)), tries: 2 });
  if (servers.length > 0) dns.setServers(servers);
  return dns;
}

/** What SRV records say, or the domain itself where there are none (RFC 6120 §3.2.2). */
async function services(dns: Dns, domain: string, tell: Tell): Promise<Service[]> {
  const ask = async (service: string, tls: Service['tls']) => {
    const records = await orNone(dns.resolveSrv(`_${service}._tcp.${domain}`));
    if (records instanceof Error) tell(`DNS: SRV of _${service}._tcp.${domain}: ${dnsWords(records)}`);
    else {
      const list = records.map(({ name, port, priority, weight }) => `${name || '.'}:${port} (${priority} ${weight})`);
      tell(`DNS: SRV of _${service}._tcp.${domain}: ${list.join(', ') || 'none'}`);
    }
    return records instanceof Error ? records : records.map((each): Service => ({ ...each, tls }));
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
  return [{ name: domain, port: DEFAULT_PORT, priority: 0, weight: 0, tls: 'starttls' }];
}

/** IPv6 and IPv4 in turn: where one of them leads nowhere the other is not far. */
async function addresses(dns: Dns, name: string, machine: boolean): Promise<Addresses> {
  if (/^[0-9.]+$/.test(name) || name.includes(':')) return { list: [name], ttlMs: LONGEST_MS };
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
