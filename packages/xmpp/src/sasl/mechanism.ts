import type { Jid } from '../jid.ts';
import type { ScramHash, ScramVerifier } from './scram-verifier.ts';

/** RFC 9266 and RFC 5929 §4 */
export type ChannelBindingType = 'tls-exporter' | 'tls-server-end-point';

/**
 * The server's side of SCRAM as somebody else speaks it, who keeps the verifier to himself: a directory. It gets the
 * messages of the client as they came, and throws SaslError where they prove nothing.
 */
export interface ScramRelay {
  /** The first message gives the challenge. */
  first(message: string): Promise<string>;
  /** The last one gives the server's own proof. */
  final(message: string): Promise<string>;
}

/** Something secret that a client was given at an earlier login, to show instead of a password. */
export interface SaslToken {
  readonly secret: string;
  /** It was shown. Throws a SaslError where it is good for nothing (any more). */
  use(): Promise<void>;
}

/** The tokens that a client may show (XEP-0484). */
export interface SaslTokens {
  /** The mechanisms by which, as they are offered. */
  readonly mechanisms: readonly string[];
  /** What this client may show by this mechanism; nothing of an unknown account. */
  find(account: Jid, mechanism: string): Promise<readonly SaslToken[]>;
}

/** What a server gives to the mechanisms of one stream. Accounts are bare JIDs of `domain`. */
export interface SaslServices {
  /** The domain that the client wants to log in to. */
  readonly domain: string;
  /** The names that this stream's features offer. */
  readonly offeredMechanisms: readonly string[];
  /** The types that this stream's features announce (XEP-0440). */
  readonly channelBindingTypes: readonly ChannelBindingType[];
  /** Whether SCRAM proves what was offered (XEP-0474); off for clients that stumble over it. */
  readonly downgradeProtection: boolean;
  /** The binding data of this stream's TLS; undefined where there is none. */
  channelBinding(type: ChannelBindingType): Buffer | undefined;
  /** False for an unknown account, after the same time. May throw a SaslError that says more. */
  verifyPassword(account: Jid, password: string): boolean | Promise<boolean>;
  /** Undefined for an unknown account. */
  scramVerifier(account: Jid, hash: ScramHash): ScramVerifier | undefined | Promise<ScramVerifier | undefined>;
  /**
   * Whoever speaks SCRAM for this account in the server's place, known or not; undefined where nobody does. Not asked
   * for -PLUS: nobody else knows this stream's TLS.
   */
  scramRelay?(account: Jid, hash: ScramHash): ScramRelay | undefined | Promise<ScramRelay | undefined>;
  /** One that no password fits, always the same for the same account. */
  falseVerifier(account: Jid, hash: ScramHash): ScramVerifier;
  /** Undefined where the client has not said that it shows one. */
  readonly tokens?: SaslTokens | undefined;
  /** The addresses in the client's verified certificate (XEP-0178). */
  externalIdentities(): readonly Jid[];
}

export type SaslStep =
  | { readonly type: 'challenge'; readonly data: Buffer }
  /** `identity` is a bare JID; `data` goes with the success. */
  | { readonly type: 'success'; readonly identity: Jid; readonly data?: Buffer };

/** One attempt to log in. */
export interface SaslExchange {
  /** Takes what the client sent, decoded; undefined where it sent nothing along. Throws SaslError, which ends it. */
  step(data: Buffer | undefined): SaslStep | Promise<SaslStep>;
}

/** One attempt as a mechanism sees it: the client has spoken first, and never after the end. */
export interface MechanismExchange {
  step(data: Buffer): SaslStep | Promise<SaslStep>;
}

export interface SaslMechanism {
  readonly name: string;
  /** Sends what an eavesdropper could use: never to be offered without TLS. */
  readonly needsTls: boolean;
  readonly needsChannelBinding: boolean;
  /** A client that says nothing at all is not asked to begin: it has nothing to say (XEP-0175 §4). */
  readonly takesSilence?: boolean;
  start(services: SaslServices): MechanismExchange;
}
