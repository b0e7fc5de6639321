import type { BearerTokens, BearerVerdict } from '@parley/xmpp/sasl/mechanism';
import type { UserAgent } from './user-agent.ts';

/** What somebody has let a client do by OAuth. */
export interface Grant {
  /** The OAuth client; '' where that is not known. */
  readonly client: string;
  /** When: milliseconds since 1970. */
  readonly granted: number;
  /** Until when the client may come back by tokens of this server: milliseconds since 1970. */
  readonly until: number;
  /** Nothing that would let it do more, or keep others from the account (XEP-0493 §4). */
  readonly restricted: boolean;
  /** What it may do with what is kept of the account, where that is all (XEP-0493 §5.1): no communication. */
  readonly only?: readonly AccountScope[] | undefined;
}

/** `xmpp:account:read` and `xmpp:account:write`, of which neither has the other. */
export type AccountScope = 'read' | 'write';

/** Which client is on a stream, and by what right, as far as that is known. */
export interface StreamAccess {
  userAgent?: UserAgent | undefined;
  grant?: Grant | undefined;
  /** The resource that it had last, where it has shown a token of ours. */
  resource?: string | undefined;
}

/** Tokens of an identity provider, with what they let do. */
export interface GrantTokens extends BearerTokens {
  check(token: string, claimed: Parameters<BearerTokens['check']>[1]): Promise<GrantVerdict>;
}

export type GrantVerdict =
  | (Extract<BearerVerdict, { accepted: true }> & { readonly grant: Grant })
  | Extract<BearerVerdict, { accepted: false }>;
