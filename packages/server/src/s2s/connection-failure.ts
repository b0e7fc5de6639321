import type { StanzaCondition } from '@parley/xmpp/stanza-error';

/** How far the way to another server went. */
export type ConnectionStep = 'policy' | 'dns' | 'connection' | 'header' | 'features' | 'tls' | 'certificate' | 'proof';

/** The errors that tell a sender why another server was not reached (RFC 6120 §8.3.3.16 and 17, XEP-0220 §2.1.1). */
export type UnreachableCondition = Extract<
  StanzaCondition,
  'remote-server-not-found' | 'remote-server-timeout' | 'internal-server-error'
>;

export interface FailureDetails {
  readonly condition?: UnreachableCondition;
  /** It took too long, or it is only now that it is so: `remote-server-timeout`. */
  readonly timeout?: boolean;
  readonly lasting?: boolean;
  readonly cause?: unknown;
}

/** There is no stream to a domain. The message says why, in words for an operator. */
export class ConnectionFailure extends Error {
  override readonly name = 'ConnectionFailure';
  readonly step: ConnectionStep;
  readonly condition: UnreachableCondition;
  /** Another attempt would end the same way until somebody changes something: a policy, DNS, a certificate. */
  readonly lasting: boolean;

  constructor(step: ConnectionStep, message: string, about: FailureDetails = {}) {
    super(message, { cause: about.cause });
    this.step = step;
    this.condition = about.condition ?? (about.timeout ? 'remote-server-timeout' : 'remote-server-not-found');
    this.lasting = about.lasting ?? false;
    letGo(this);
  }
}

/**
 * Has an error, and what caused it, keep the text of its stack only. It is remembered for minutes, and until somebody reads
 * that text there are frames in its place, which keep alive what they were of: a stream, a connection.
 */
function letGo(error: Error): void {
  for (let each: unknown = error; each instanceof Error; each = each.cause) void each.stack;
}
