import { createHmac, randomBytes } from 'node:crypto';
import type { Jid } from '@parley/xmpp/jid';
import type { SaslToken } from '@parley/xmpp/sasl/mechanism';
import { SaslError } from '@parley/xmpp/sasl-error';
import type { Authenticator } from '../../auth/authenticator.ts';
import {
  type ClientRecord,
  changesNothing,
  decodeClient,
  type KeptToken,
  shown,
  tokensFor,
} from '../../auth/clients/client-record.ts';
import type { ClientStore } from '../../auth/clients/client-store.ts';
import type { Grant } from '../../stream/stream-access.ts';
import type { UserAgent } from '../../stream/user-agent.ts';

export interface TokensOptions {
  readonly store: ClientStore;
  readonly accounts: Pick<Authenticator, 'passwordMark'>;
  /** 32 bytes, the same on all nodes. */
  readonly secret: Buffer;
  /** Milliseconds for which a token is good. */
  lifetime(): number;
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
  /** `record`: what was kept of the client when it showed it. */
  onUsed(token: KeptToken, record: ClientRecord): void;
}

/** By what a client has come that is given a token. */
export interface Renewal {
  readonly grant?: Grant | undefined;
  readonly renewed?: boolean;
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

  /** What was granted has nothing to do with the password. */
  #markFor(account: Jid, grant: Grant | undefined) {
    return grant === undefined ? this.#options.accounts.passwordMark?.(account) : undefined;
  }

  /** What a client may show. */
  async find(showing: Showing): Promise<SaslToken[]> {
    const { account, client, mechanism } = showing;
    const text = await this.#options.store.text(account, client);
    const record = decodeClient(text);
    const kept = record === undefined ? [] : tokensFor(record, mechanism);
    return kept.map((token) => ({
      secret: this.#secretOf(account, client, token),
      use: () => this.#use(token, showing, record as ClientRecord, text),
    }));
  }

  /** It was shown, when this was kept of the client. */
  async #use(
    token: KeptToken,
    { account, client, count, onUsed }: Showing,
    found: ClientRecord,
    text: string,
  ): Promise<void> {
    const { store } = this.#options;
    const mark = await this.#markFor(account, token.grant);
    if (token.expires <= this.#now() || (token.grant === undefined && token.mark !== mark))
      throw new SaslError('credentials-expired');
    if (changesNothing(found, token, this.#now(), count)) return onUsed(token, found);
    const change = (record: ClientRecord | undefined) => {
      const newest = record && tokensFor(record, token.mechanism).find(({ nonce }) => nonce === token.nonce);
      // §3.4: who has counted goes on counting, so that nobody repeats what was said by leaving the count out
      if (newest?.count !== undefined && (count === undefined || count <= newest.count)) return undefined;
      return record && shown(record, token, this.#now(), count);
    };
    if (!(await store.change(account, client, change, text))) throw new SaslError('not-authorized');
    onUsed(token, found);
  }

  /**
   * Gives a client another one, by which it may log in from now on; the one that it has is good until it has shown this one.
   * What was granted by OAuth is not good for ever by that. Undefined where it is good no more, or where a client that has come
   * by a token (`renewed`) has lost its access meanwhile.
   */
  async issue(account: Jid, agent: UserAgent & { id: string }, mechanism: string, { grant, renewed }: Renewal = {}) {
    const { store, lifetime } = this.#options;
    const issued = this.#now();
    const expires = Math.min(issued + lifetime(), grant?.until ?? Number.POSITIVE_INFINITY);
    if (expires <= issued) return undefined;
    const nonce = randomBytes(16).toString('base64url');
    const mark = await this.#markFor(account, grant);
    const token: KeptToken = { mechanism, nonce, issued, expires, mark, grant };
    const { software, device } = agent;
    const change = (record: ClientRecord | undefined): ClientRecord | undefined =>
      renewed && record === undefined
        ? undefined
        : { since: issued, ...record, software, device, seen: issued, next: token };
    const kept = await store.change(account, agent.id, change);
    return kept ? { secret: this.#secretOf(account, agent.id, token), expires } : undefined;
  }
}
