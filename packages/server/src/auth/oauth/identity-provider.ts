import type { Jid } from '@parley/xmpp/jid';
import type { AccountScope } from '../../stream/stream-access.ts';
import { accountIn } from './account-rule.ts';
import { Introspection } from './introspection.ts';
import { KeySet } from './key-set.ts';
import { ProviderCalls, type ProviderCallsOptions } from './provider-calls.ts';
import type { ProviderSettings } from './provider-settings.ts';
import { allowedBy } from './scopes.ts';
import { checkSigned } from './signed-tokens.ts';
import { claimsOf, own, type TokenClaims, TokenRefused } from './token-claims.ts';

/** What a token is good for: undefined for an account where it is not good for what is needed. */
export interface Checked {
  readonly account: Jid | undefined;
  readonly claims: TokenClaims;
  readonly only: readonly AccountScope[] | undefined;
}

/** Somebody whose tokens let people in: an OAuth 2.0 authorization server. */
export class IdentityProvider {
  readonly settings: ProviderSettings;
  readonly calls: ProviderCalls;
  readonly #claims: (token: string) => Promise<Readonly<Record<string, unknown>>>;

  constructor(options: ProviderCallsOptions) {
    const { settings } = options;
    this.settings = settings;
    this.calls = new ProviderCalls(options);
    const { keys: place } = settings;
    if (place === undefined) {
      const introspection = new Introspection(this.calls, settings);
      this.#claims = (token) => introspection.check(token);
      this.calls.probe = () => introspection.probe();
      return;
    }
    const keys = new KeySet({ fetch: () => this.calls.ask('keys', { url: new URL(place) }) });
    this.#claims = (token) => checkSigned(token, keys, settings);
    this.calls.probe = () => keys.refresh();
  }

  /** Looks at a token. Throws TokenRefused or ProviderAway. */
  async check(token: string, domain: string): Promise<Checked> {
    const claims = claimsOf(await this.#claims(token));
    // RFC 7800 §3.1: whoever shows it would have to prove a key, which OAUTHBEARER has no place for
    if (own(claims.all, 'cnf') !== undefined) throw new TokenRefused('it is bound to a key of the client');
    const { isEnough, only } = allowedBy(claims.scopes, this.settings.scopes);
    return { claims, only, account: isEnough ? accountIn(claims, this.settings, domain) : undefined };
  }

  /** Where clients find out how to get a token (RFC 8414, XEP-0493 §3.1). */
  get discovery(): string {
    const { discovery, issuer } = this.settings;
    return discovery ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  }
}
