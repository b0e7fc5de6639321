import { isIPv6 } from 'node:net';
import { Networks, unmapped } from './networks.ts';

export interface ConnectionLimitsOptions {
  readonly perAddress: number;
  readonly unauthenticatedPerAddress: number;
  readonly newPerAddressPerMinute: number;
  /** Networks as address/prefix. */
  readonly trustedNetworks: readonly string[];
}

export type ConnectionLimit = 'connections-per-address' | 'unauthenticated-per-address' | 'new-connections-per-address';

interface Count {
  open: number;
  unauthenticated: number;
  /** Connections since `minuteStart`, milliseconds of a clock that never goes back. */
  recent: number;
  minuteStart: number;
}

const MINUTE = 60_000;

/**
 * Connections counted by IPv4 address or IPv6 /64 (XEP-0205 §4.1 and §4.2). An address is forgotten when nothing of
 * it is open and its minute is over, so memory is bounded by the connections accepted in a minute.
 */
export class ConnectionLimits {
  readonly #counts = new Map<string, Count>();
  readonly #options: () => ConnectionLimitsOptions;
  readonly #trusted = new Networks(() => this.#options().trustedNetworks);
  #sweptAt = 0;

  constructor(options: () => ConnectionLimitsOptions) {
    this.#options = options;
  }

  /** Counts a new connection, or names the limit that refuses it. */
  open(address: string, now: number): ConnectionLimit | undefined {
    if (this.trusts(address)) return undefined;
    this.#sweep(now);
    const key = network(address);
    const options = this.#options();
    const count = this.#counts.get(key) ?? { open: 0, unauthenticated: 0, recent: 0, minuteStart: now };
    if (now - count.minuteStart >= MINUTE) {
      count.recent = 0;
      count.minuteStart = now;
    }
    if (count.open >= options.perAddress) return 'connections-per-address';
    if (count.unauthenticated >= options.unauthenticatedPerAddress) return 'unauthenticated-per-address';
    if (count.recent >= options.newPerAddressPerMinute) return 'new-connections-per-address';
    count.open++;
    count.unauthenticated++;
    count.recent++;
    this.#counts.set(key, count);
    return undefined;
  }

  authenticated(address: string): void {
    const count = this.#counts.get(network(address));
    if (count !== undefined && count.unauthenticated > 0) count.unauthenticated--;
  }

  closed(address: string, authenticated: boolean): void {
    const count = this.#counts.get(network(address));
    if (count === undefined) return;
    if (count.open > 0) count.open--;
    if (!authenticated && count.unauthenticated > 0) count.unauthenticated--;
  }

  get size(): number {
    return this.#counts.size;
  }

  trusts(address: string): boolean {
    return this.#trusted.has(address);
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < MINUTE) return;
    this.#sweptAt = now;
    for (const [key, count] of this.#counts) {
      if (count.open === 0 && now - count.minuteStart >= MINUTE) this.#counts.delete(key);
    }
  }
}

/** What counts as one address: an IPv4 address, or the /64 network of an IPv6 address. */
export function network(address: string): string {
  const plain = unmapped(address);
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = (plain.split('%')[0] as string).split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const rest = tail === '' ? [] : tail.split(':');
    while (groups.length + rest.length < 8) groups.push('0');
    groups.push(...rest);
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
