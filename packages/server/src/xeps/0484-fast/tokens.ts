import { createHmac, randomBytes } from 'node:crypto';
import type { Jid } from '@parley/xmpp/jid';
import type { SaslToken } from '@parley/xmpp/sasl/mechanism';
import { SaslError } from '@parley/xmpp/sasl-error';
import type { Authenticator } from '../../auth/authenticator.ts';
import type { UserAgent } from '../../stream/user-agent.ts';
import { type ClientRecord, type KeptToken, shown, tokensFor } from './client-record.ts';
import type { ClientLimits, ClientStore } from './client-store.ts';

export interface TokensOptions {
  readonly store: ClientStore;
  readonly accounts: Pick<Authenticator, 'passwordMark'>;
  /** 32 bytes, the same on all nodes. */
  readonly secret: Buffer;
  limits(): ClientLimits;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A client, and what it has asked for. */
export interface Showing {
  readonly account: Jid;
  readonly client: string;
  readonly mechanism: string;
  /** How often it says that it has shown the token, where it counts. */
  readonly count: number | undefined;
  onUsed(token: KeptToken): void;
}

/**
 * The tokens of clients. Nothing that is kept of them is a token: it is made of that by the cluster's secret, and so are those
 * that are compared.
 */
export class Tokens {
  readonly #options: TokensOptions;
  readonly #now: () => number;

  constructor(options: TokensOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  #secretOf(account: Jid, client: string, { mechanism, nonce, expires, mark = '' }: KeptToken): string {
    const parts = [account.bareText, client, mechanism, nonce, String(expires), mark];
    return createHmac('sha256', this.#options.secret).update(parts.join('\0')).digest('base64url');
  }

  /** What a client may show. */
  async find(showing: Showing): Promise<SaslToken[]> {
    const { account, client, mechanism } = showing;
    const record = await this.#options.store.get(account, client);
    const kept = record === undefined ? [] : tokensFor(record, mechanism);
    return kept.map((token) => ({
      secret: this.#secretOf(account, client, token),
      use: () => this.#use(token, showing),
    }));
  }

  /** It was shown. */
  async #use(token: KeptToken, { account, client, count, onUsed }: Showing): Promise<void> {
    const { store, accounts, limits } = this.#options;
    const mark = await accounts.passwordMark?.(account);
    if (token.expires <= this.#now() || token.mark !== mark) throw new SaslError('credentials-expired');
    const change = (record: ClientRecord | undefined) => {
      const newest = record && tokensFor(record, token.mechanism).find(({ nonce }) => nonce === token.nonce);
      // §3.4: who has counted goes on counting, so that nobody repeats what was said by leaving the count out
      if (newest?.count !== undefined && (count === undefined || count <= newest.count)) return undefined;
      return record && shown(record, token, this.#now(), count);
    };
    if (!(await store.change(account, client, limits(), change))) throw new SaslError('not-authorized');
    onUsed(token);
  }

  /** Gives a client another one, by which it may log in from now on; the one that it has is good until it has shown this one. */
  async issue(account: Jid, agent: UserAgent & { id: string }, mechanism: string) {
    const { store, accounts, limits } = this.#options;
    const issued = this.#now();
    const expires = issued + limits().ttl;
    const nonce = randomBytes(16).toString('base64url');
    const token: KeptToken = { mechanism, nonce, issued, expires, mark: await accounts.passwordMark?.(account) };
    const { software, device } = agent;
    const change = (record: ClientRecord | undefined): ClientRecord => ({
      since: issued,
      ...record,
      software,
      device,
      seen: issued,
      next: token,
    });
    const kept = await store.change(account, agent.id, limits(), change);
    return kept ? { secret: this.#secretOf(account, agent.id, token), expires } : undefined;
  }
}
