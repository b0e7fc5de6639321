import type { Jid } from '../jid.ts';
import type { ScramHash, ScramVerifier } from './scram-verifier.ts';

/** RFC 9266 and RFC 5929 §4 */
export type ChannelBindingType = 'tls-exporter' | 'tls-unique' | 'tls-server-end-point';

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

/** Who has met in a security context of Kerberos: principals, as the GSS-API displays them. */
export interface GssPeers {
  readonly initiator: string;
  /** The service that the initiator has asked for. */
  readonly target: string;
  /** The initiator has asked for a proof of the acceptor, too. */
  readonly mutual: boolean;
}

/** The acceptor's side of a security context (RFC 2743 §2.2). Whatever it rejects with ends the attempt. */
export interface GssContext {
  /** Takes a token of the initiator and gives one for it, empty where none is needed; `peers` once they have met. */
  accept(token: Buffer): Promise<{ readonly token: Buffer; readonly peers?: GssPeers }>;
  /** With integrity, and not encrypted. */
  wrap(data: Buffer): Promise<Buffer>;
  unwrap(data: Buffer): Promise<Buffer>;
  /** It is of no more use. */
  end(): void;
}

/** Kerberos, as far as the mechanism for it needs to know. */
export interface KerberosService {
  begin(): GssContext;
  /** Whose account that is. Throws a SaslError where it is nobody's of this domain, or the service is not this one. */
  account(peers: GssPeers): Jid;
}

/** What comes of a bearer token (RFC 6750 §3.1). */
export type BearerVerdict =
  | { readonly accepted: true; readonly account: Jid }
  | { readonly accepted: false; readonly status: 'invalid_token' | 'insufficient_scope' };

/** Tokens of somebody else by whom people of this domain log in (RFC 7628). */
export interface BearerTokens {
  /** What a token has to be good for, for clients that want one; '' for nothing in particular. */
  readonly scope: string;
  /** The URL of the document that tells clients where they get one (RFC 8414). */
  readonly discovery: string;
  /** `claimed`: whom the client says that it is. Throws a SaslError where nothing can be said just now. */
  check(token: string, claimed: Jid | undefined): Promise<BearerVerdict>;
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
  /** The version of this stream's TLS as SCRAM tells it (XEP-0515 §4.1); undefined where there is none. */
  readonly tlsVersion?: string | undefined;
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
  /** Undefined where this server accepts no tickets. */
  readonly kerberos?: KerberosService | undefined;
  /** Undefined where nobody's tokens are taken. */
  readonly bearer?: BearerTokens | undefined;
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
  /** Where its messages may be longer than a name and a password are. */
  readonly maxMessageBytes?: number;
  start(services: SaslServices): MechanismExchange;
}
