import type { Metrics } from '@parley/metrics/registry';
import type { Log } from '../../log.ts';
import { WebClient, WebClientError, type WebQuestion } from '../../net/web-client.ts';
import { startSpan } from '../../tracing/trace.ts';
import type { ProviderSettings } from './provider-settings.ts';
import { TokenRefused } from './token-claims.ts';

/** The provider cannot be asked just now. */
export class ProviderAway extends Error {
  override readonly name = 'ProviderAway';
}

export type ProviderOperation = 'keys' | 'introspection';

/** One that has failed is left in peace for so long: whoever wants to log in is told at once. */
const PAUSE_MS = 2000;
const PROBE_MS = 10_000;
const MOST_BYTES = 262_144;
/**
 * Answers that are about what was asked, which a stranger may have made up, for whoever stands before the provider to take
 * offence at: they say nothing about the tokens of others. That it does not know this server is 401 (RFC 7662 §2.3).
 */
const ABOUT_THE_TOKEN: ReadonlySet<number | undefined> = new Set([400, 403, 413, 414, 422, 431]);

type Question = Omit<WebQuestion, 'maxBytes' | 'timeoutMs'>;

export interface ProviderCallsOptions {
  readonly settings: ProviderSettings;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/**
 * What a provider is asked. Nobody waits for one that is known to fail, nor behind too many others; that it fails, and works
 * again, is told once.
 */
export class ProviderCalls {
  readonly #options: ProviderCallsOptions;
  readonly #client: WebClient;
  readonly #now: () => number;
  #waiting = 0;
  #failedAt: number | undefined;
  #awaySince = 0;
  #trying = false;
  #probing: NodeJS.Timeout | undefined;

  constructor(options: ProviderCallsOptions) {
    const { settings } = options;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#client = new WebClient({
      authorities: settings.authorityCertificates,
      connections: settings.connections,
    });
  }

  get away(): boolean {
    return this.#failedAt !== undefined;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Asks something harmless now and then while the provider is away, so that it is noticed when it works again. */
  probe: (() => Promise<unknown>) | undefined;

  /** The answer. Throws ProviderAway, or TokenRefused where it has something against the token that it is asked about. */
  async ask(operation: ProviderOperation, question: Question): Promise<unknown> {
    const { settings, metrics } = this.#options;
    const span = startSpan(`identity provider ${operation}`, 'client')?.set('parley.provider', settings.name);
    const since = this.#now();
    let outcome: 'answered' | 'refused' | 'late' | 'away' = 'answered';
    try {
      return await this.#admitted(operation, question);
    } catch (error) {
      outcome = error instanceof WebClientError ? error.outcome : 'away';
      if (error instanceof ProviderAway || !(error instanceof WebClientError)) throw error;
      if (isAboutToken(operation, error)) throw new TokenRefused(error.message, { cause: error });
      throw new ProviderAway(error.message, { cause: error });
    } finally {
      span?.end(outcome === 'answered' ? undefined : outcome);
      metrics?.providerCalls.with({ operation, outcome }).add(1);
      metrics?.providerDuration.with({ operation }).record((this.#now() - since) / 1000);
    }
  }

  async #admitted(operation: ProviderOperation, question: Question): Promise<unknown> {
    const { mostWaiting, connections, timeoutSeconds } = this.#options.settings;
    if (this.#waiting >= mostWaiting + connections) throw new ProviderAway('too many wait for it');
    const isTrial = this.#failedAt !== undefined;
    if (isTrial && (this.#trying || this.#now() - (this.#failedAt ?? 0) < PAUSE_MS)) {
      throw new ProviderAway('it has failed a moment ago');
    }
    this.#waiting++;
    if (isTrial) this.#trying = true;
    try {
      const answer = await this.#client.json({ ...question, maxBytes: MOST_BYTES, timeoutMs: timeoutSeconds * 1000 });
      this.#answered();
      return answer;
    } catch (error) {
      if (isAboutToken(operation, error)) this.#answered();
      else if (error instanceof WebClientError) this.#failed(error);
      throw error;
    } finally {
      this.#waiting--;
      if (isTrial) this.#trying = false;
    }
  }

  #answered(): void {
    if (this.#failedAt === undefined) return;
    this.#failedAt = undefined;
    clearInterval(this.#probing);
    this.#options.log.info('oauth.provider.back', {
      provider: this.#options.settings.name,
      awaySeconds: Math.round((this.#now() - this.#awaySince) / 1000),
    });
  }

  #failed({ message }: WebClientError): void {
    const first = this.#failedAt === undefined;
    this.#failedAt = this.#now();
    if (!first) return;
    this.#awaySince = this.#failedAt;
    this.#options.log.warn('oauth.provider.away', { provider: this.#options.settings.name, message });
    this.#probing = setInterval(() => void this.probe?.().catch(() => undefined), PROBE_MS).unref();
  }

  close(): void {
    clearInterval(this.#probing);
    this.probe = undefined;
    this.#client.close();
  }
}

const isAboutToken = (operation: ProviderOperation, error: unknown): boolean =>
  operation === 'introspection' && error instanceof WebClientError && ABOUT_THE_TOKEN.has(error.status);
