import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Metrics } from '@parley/metrics/registry';
import { applyAccountChanges } from './auth/account-changes.ts';
import type { Authenticator } from './auth/authenticator.ts';
import { ClientAccess } from './auth/clients/client-access.ts';
import { endTokensOnChange } from './auth/clients/client-changes.ts';
import { clientLimits } from './auth/clients/client-limits.ts';
import { recordClients } from './auth/clients/client-recorder.ts';
import { ClientStore } from './auth/clients/client-store.ts';
import { RevokedGrants } from './auth/clients/revoked-grants.ts';
import { tellNotices } from './auth/login-notices.ts';
import { IdentityProviders } from './auth/oauth/identity-providers.ts';
import type { Configuration } from './config/schema.ts';
import type { Hooks } from './hooks.ts';
import type { Log } from './log.ts';
import type { Peers } from './peers.ts';
import type { Router } from './routing/router.ts';
import type { Sessions } from './session/sessions.ts';
import { Admission } from './stream/admission.ts';
import { addSecurity } from './stream/client-features.ts';
import type { StreamFeatures } from './stream/features.ts';
import { Logins, type Tickets } from './stream/logins.ts';
import type { Streams } from './stream/streams.ts';

export interface LoginServicesOptions {
  readonly config: () => Configuration;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly keyspace: Keyspace;
  readonly accounts: Authenticator;
  readonly sessions: Sessions;
  readonly streams: Streams;
  readonly hooks: Hooks;
  readonly peers: Peers;
  readonly admission: Admission;
  readonly tickets: Tickets;
  /** What nodes derive from their shared secret (32 bytes). */
  secret(purpose: string): Buffer;
  /** Limits by address do not apply to it. */
  trusts(address: string): boolean;
}

/** What clients log in with on this node, and what becomes of that when accounts change. */
export class LoginServices {
  readonly #options: LoginServicesOptions;
  readonly #logins: Logins;
  readonly #providers: IdentityProviders;
  readonly #store: ClientStore;
  readonly #revoked: RevokedGrants;
  readonly #clients: ClientAccess;

  constructor(options: LoginServicesOptions) {
    const { config, keyspace, accounts, secret } = options;
    const limits = () => clientLimits(config());
    this.#options = options;
    this.#logins = new Logins({ ...options, authenticator: accounts });
    this.#store = new ClientStore(keyspace, limits);
    this.#revoked = new RevokedGrants(keyspace);
    this.#clients = new ClientAccess({
      ...options,
      store: this.#store,
      revoked: this.#revoked,
      secret: secret('names of clients'),
    });
    this.#providers = new IdentityProviders({
      ...options,
      isRevoked: (account, client, granted) => this.#revoked.isRevoked(account, client, granted),
    });
  }

  get tickets(): Tickets {
    return this.#options.tickets;
  }

  /** From now on streams offer to log in; `offers` gets what modules may use of it. */
  setUp(features: StreamFeatures, router: Router, offers: Map<unknown, object>): void {
    const { hooks, admission } = this.#options;
    const { events, pending } = hooks;
    const [logins, store, revoked] = [this.#logins, this.#store, this.#revoked];
    applyAccountChanges({ ...this.#options, events });
    endTokensOnChange({ ...this.#options, store, pending });
    tellNotices(logins, router, events);
    recordClients({ ...this.#options, clients: this.#clients, store, revoked, events });
    const bearer = (domain: string) => this.#providers.for(domain);
    addSecurity(features, { ...this.#options, logins, bearer, offers });
    offers.set(Logins, logins).set(Admission, admission).set(ClientStore, store).set(ClientAccess, this.#clients);
  }

  /** What it gives takes the configuration over. Throws a ConfigurationError where it is no good. */
  reload(config: Configuration): () => void {
    return this.#providers.reload(config);
  }

  readonly stop = () => this.#providers.close();
}
