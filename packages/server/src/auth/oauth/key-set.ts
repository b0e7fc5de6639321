import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { ProviderAway } from './provider-calls.ts';

export interface KeySetOptions {
  /** Gets the document (RFC 7517 §5). Throws ProviderAway. */
  fetch(): Promise<unknown>;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** So old keys are asked for anew, behind the back of whoever logs in. */
const FRESH_MS = 600_000;
/** So long they are good while the provider does not answer. */
const LONGEST_MS = 86_400_000;
/** Tokens name keys that nobody knows: the provider is asked for those no more often than that. */
const AGAIN_MS = 10_000;

/** The public keys of a provider, which it may change at any time. */
export class KeySet {
  readonly #fetch: () => Promise<unknown>;
  readonly #now: () => number;
  #keys: ReturnType<typeof createLocalJWKSet> | undefined;
  #at = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor({ fetch, now = () => performance.now() }: KeySetOptions) {
    this.#fetch = fetch;
    this.#now = now;
  }

  /** The key that a token says that it is signed by. Throws ProviderAway where the keys cannot be had. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const known = await this.#known();
    try {
      return await known(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || this.#now() - this.#askedAt < AGAIN_MS) throw error;
    }
    await this.refresh();
    return (await this.#known())(header, token);
  };

  async #known() {
    const age = this.#now() - this.#at;
    if (age > LONGEST_MS) await this.refresh();
    else if (age > FRESH_MS && this.#now() - this.#askedAt > AGAIN_MS) this.refresh().catch(() => undefined); // told already
    if (this.#keys === undefined) throw new ProviderAway('its keys are not known');
    return this.#keys;
  }

  /** Asks for them now; whoever wants that meanwhile waits for the same answer. Throws ProviderAway. */
  refresh(): Promise<void> {
    this.#asking ??= this.#load().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #load(): Promise<void> {
    this.#askedAt = this.#now();
    const document = await this.#fetch();
    try {
      this.#keys = createLocalJWKSet(document as JSONWebKeySet);
    } catch (cause) {
      throw new ProviderAway(`what it gives for its keys are none: ${(cause as Error).message}`, { cause });
    }
    this.#at = this.#now();
  }
}
