import { createHash } from 'node:crypto';
import type { ProviderCalls } from './provider-calls.ts';
import type { ProviderSettings } from './provider-settings.ts';
import { OLDEST_TOKEN_MS, own, TokenRefused } from './token-claims.ts';

type Claims = Readonly<Record<string, unknown>>;

interface Answer {
  /** Undefined where the token is not active. */
  readonly claims: Claims | undefined;
  readonly until: number;
}

const MOST_KEPT = 10_000;
/** A token that is none may not come to be one. */
const REFUSED_MS = 10_000;

/** Tokens about which their provider is asked (RFC 7662). Its answers are believed for a while. */
export class Introspection {
  readonly #calls: ProviderCalls;
  readonly #settings: ProviderSettings;
  readonly #now: () => number;
  readonly #kept = new Map<string, Answer>();
  readonly #asking = new Map<string, Promise<Answer>>();

  constructor(calls: ProviderCalls, settings: ProviderSettings, now: () => number = () => performance.now()) {
    this.#calls = calls;
    this.#settings = settings;
    this.#now = now;
  }

  /** Its claims. Throws TokenRefused or ProviderAway. */
  async check(token: string): Promise<Claims> {
    const { claims } = await this.#answer(token);
    if (claims === undefined) throw new TokenRefused('the provider says that it is not active');
    this.#look(claims);
    return claims;
  }

  #answer(token: string): Answer | Promise<Answer> {
    const key = createHash('sha256').update(token).digest('base64'); // tokens are not kept
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.until > this.#now()) return kept;
    this.#kept.delete(key);
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#ask(token)
        .then((answer) => this.#keep(key, answer))
        .finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    return asking;
  }

  /** Asks; a provider that is away is noticed by this, too. */
  async #ask(token: string): Promise<Claims | undefined> {
    const { url = '', clientId = '', clientSecret = '' } = this.#settings.introspection;
    const credentials = `${formEncoded(clientId)}:${formEncoded(clientSecret)}`; // RFC 6749 §2.3.1
    const claims = await this.#calls.ask('introspection', {
      url: new URL(url),
      headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
      form: new URLSearchParams({ token, token_type_hint: 'access_token' }),
    });
    const isActive = typeof claims === 'object' && claims !== null && own(claims as Claims, 'active') === true;
    return isActive ? (claims as Claims) : undefined;
  }

  /** Nothing that tells about anybody; what comes of it is of no interest. */
  probe(): Promise<unknown> {
    return this.#ask('probe');
  }

  #keep(key: string, claims: Claims | undefined): Answer {
    const ms = claims === undefined ? REFUSED_MS : this.#settings.introspection.keepSeconds * 1000;
    const answer = { claims, until: this.#now() + ms };
    if (this.#kept.size >= MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value ?? '');
    if (ms > 0) this.#kept.set(key, answer);
    return answer;
  }

  /** RFC 7662 §4: what a provider calls active may still be none for this server. */
  #look(claims: Claims): void {
    const { issuer, audience, clockSkewSeconds } = this.#settings;
    const [iss, exp, nbf, iat, type] = ['iss', 'exp', 'nbf', 'iat', 'token_type'].map((name) => own(claims, name));
    if (iss !== undefined && iss !== issuer) throw new TokenRefused('another issuer has given it');
    if (typeof type === 'string' && type.toLowerCase() !== 'bearer') throw new TokenRefused('it is no bearer token');
    const now = Date.now() / 1000;
    if (typeof exp === 'number' && exp <= now - clockSkewSeconds) throw new TokenRefused('it has expired');
    if (typeof nbf === 'number' && nbf > now + clockSkewSeconds) throw new TokenRefused('it is not good yet');
    if (typeof iat === 'number' && iat < now - OLDEST_TOKEN_MS / 1000) throw new TokenRefused('it is too old');
    if (audience.length === 0) return;
    const named = [own(claims, 'aud')].flat();
    if (!audience.some((each) => named.includes(each))) throw new TokenRefused('it is for somebody else');
  }
}

const formEncoded = (text: string) => new URLSearchParams({ text }).toString().slice('text='.length);
