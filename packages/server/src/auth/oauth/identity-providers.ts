import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Metrics } from '@parley/metrics/registry';
import type { Jid } from '@parley/xmpp/jid';
import { SaslError } from '@parley/xmpp/sasl-error';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { vouchesFor } from '../../config/identity-provider.ts';
import type { Configuration } from '../../config/schema.ts';
import type { Log } from '../../log.ts';
import type { Grant, GrantTokens, GrantVerdict } from '../../stream/stream-access.ts';
import type { Authenticator } from '../authenticator.ts';
import { IdentityProvider } from './identity-provider.ts';
import { ProviderAway } from './provider-calls.ts';
import { type ProviderSettings, providerSettings } from './provider-settings.ts';
import { type TokenClaims, TokenRefused } from './token-claims.ts';

export interface IdentityProvidersOptions {
  readonly config: () => Configuration;
  readonly accounts: Authenticator;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
  /** Whether the account's owner has shut this client out since. */
  isRevoked(account: Jid, client: string, granted: number): Promise<boolean>;
}

/** Nobody knows it. */
const passwordOfNobody = () => randomBytes(32).toString('base64url');

/** The identity providers of the configuration: who logs in by a token of theirs. */
export class IdentityProviders {
  readonly #options: IdentityProvidersOptions;
  #all: readonly IdentityProvider[] = [];
  /** By domain, as it was asked for. */
  readonly #byDomain = new Map<string, GrantTokens>();

  /** Throws a ConfigurationError where they cannot be had like this. */
  constructor(options: IdentityProvidersOptions) {
    this.#options = options;
    this.reload(options.config())();
  }

  /** Looks at a new configuration; what it gives takes it over. Throws a ConfigurationError where it is no good. */
  reload(config: Configuration): () => void {
    const wanted = providerSettings(config);
    return () => {
      const before = this.#all;
      this.#all = wanted.map((settings) => this.#keptOf(before, settings) ?? this.#provider(settings));
      for (const provider of before) if (!this.#all.includes(provider)) provider.calls.close();
      this.#byDomain.clear();
    };
  }

  #keptOf(before: readonly IdentityProvider[], settings: ProviderSettings): IdentityProvider | undefined {
    return before.find((each) => isDeepStrictEqual(each.settings, settings));
  }

  #provider(settings: ProviderSettings): IdentityProvider {
    const { log, metrics } = this.#options;
    const provider = new IdentityProvider({ settings, log, metrics });
    metrics?.providersAway.with({ provider: settings.name }).observe(() => (provider.calls.away ? 1 : 0));
    return provider;
  }

  /** Whose tokens let in people of this domain; undefined where nobody's do. */
  for(domain: string): GrantTokens | undefined {
    const known = this.#byDomain.get(domain);
    if (known !== undefined) return known;
    const provider = this.#all.find(({ settings }) => vouchesFor(settings, domain));
    if (provider === undefined) return undefined;
    const tokens: GrantTokens = {
      scope: provider.settings.scopes.join(' '),
      discovery: provider.discovery,
      check: (token, claimed) => this.#check(provider, domain, token, claimed),
    };
    this.#byDomain.set(domain, tokens); // of domains that are served alone: others have no streams
    return tokens;
  }

  async #check(provider: IdentityProvider, domain: string, token: string, claimed?: Jid): Promise<GrantVerdict> {
    if (token === '') return { accepted: false, status: 'invalid_token' };
    try {
      const { account, claims, only } = await provider.check(token, domain);
      if (account === undefined) {
        this.#refused(provider, claimed, 'it is not good for all of `scopes`');
        return { accepted: false, status: 'insufficient_scope' };
      }
      if (await this.#options.isRevoked(account, claims.client, claims.granted)) {
        throw new TokenRefused('its client was shut out after it was granted');
      }
      await this.#make(provider, account);
      return { accepted: true, account, grant: grantOf(claims, provider.settings, only) };
    } catch (error) {
      if (error instanceof ProviderAway) {
        throw new SaslError('temporary-auth-failure', 'Tokens cannot be checked just now: try again later.', {
          cause: error,
        });
      }
      if (!(error instanceof TokenRefused)) throw error;
      this.#refused(provider, claimed, error.message);
      return { accepted: false, status: 'invalid_token' };
    }
  }

  /** Whoever comes for the first time, where the configuration says so. */
  async #make({ settings }: IdentityProvider, account: Jid): Promise<void> {
    const { accounts, log } = this.#options;
    if (!settings.account.create || !accounts.creates(account.domain) || (await accounts.exists(account))) return;
    try {
      await accounts.create?.(account, passwordOfNobody());
    } catch (error) {
      if (error instanceof StanzaError && error.condition === 'conflict') return; // another node was faster
      throw error;
    }
    log.info('oauth.account-made', { account: account.toString(), provider: settings.name });
  }

  #refused({ settings }: IdentityProvider, claimed: Jid | undefined, reason: string): void {
    this.#options.log.flood('oauth.token-refused', { provider: settings.name, account: claimed?.toString(), reason });
  }

  close(): void {
    for (const { calls } of this.#all) calls.close();
  }
}

const grantOf = (
  { client, granted }: TokenClaims,
  { permission, comeBackSeconds }: ProviderSettings,
  only: Grant['only'],
): Grant => ({
  client,
  granted,
  // who is no client comes back by the provider's token each time
  until: only === undefined ? Date.now() + comeBackSeconds * 1000 : 0,
  restricted: permission === 'normal' || only !== undefined,
  only,
});
