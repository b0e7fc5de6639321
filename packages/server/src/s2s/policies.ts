import type { FederationConfiguration } from '../config/federation.ts';
import { type PeerPolicy, peerPolicy } from './policy.ts';

const MOST_KNOWN = 10_000;

/** What holds for domains, looked up once for each until the configuration changes. */
export class Policies {
  readonly #config: () => FederationConfiguration;
  readonly #known = new Map<string, PeerPolicy>();
  #of: FederationConfiguration | undefined;

  constructor(config: () => FederationConfiguration) {
    this.#config = config;
  }

  readonly for = (domain: string): PeerPolicy => {
    const config = this.#config();
    if (config !== this.#of || this.#known.size >= MOST_KNOWN) {
      this.#of = config;
      this.#known.clear();
    }
    let policy = this.#known.get(domain);
    if (policy === undefined) {
      policy = peerPolicy(config, domain);
      this.#known.set(domain, policy);
    }
    return policy;
  };
}
