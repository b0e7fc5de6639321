import { encodePart } from '../key.ts';

/** The first part of a key of an account: whose it is. */
const ownerForm = /^[^{]*\{p\d+\}:([^:]*)/;

const domainOf = (owner: string): string => owner.slice(owner.indexOf('@') + 1);

/** For how many replicas whatever belongs to a domain waits, where that is another number than for the rest. */
export class DomainReplicas {
  readonly #replicas: ReadonlyMap<string, number>;

  constructor(replicas: ReadonlyMap<string, number> = new Map()) {
    this.#replicas = new Map([...replicas].map(([domain, count]) => [encodePart(domain), count]));
  }

  /** Everything is kept alike. */
  get none(): boolean {
    return this.#replicas.size === 0;
  }

  /** All numbers that there are. */
  get counts(): ReadonlySet<number> {
    return new Set(this.#replicas.values());
  }

  /** Undefined where it is as for the rest. */
  of(bareJid: string): number | undefined {
    return this.#replicas.size === 0 ? undefined : this.#replicas.get(encodePart(domainOf(bareJid)));
  }

  /** The same for the account of whom keys tell that they are its own. */
  ofKeys(keys: readonly string[]): number | undefined {
    if (this.#replicas.size === 0) return undefined;
    for (const key of keys) {
      const replicas = this.#replicas.get(domainOf(ownerForm.exec(key)?.[1] ?? ''));
      if (replicas !== undefined) return replicas;
    }
    return undefined;
  }
}
