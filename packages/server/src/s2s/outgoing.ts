import type { Stanza } from '@parley/xmpp/stanza';

/** A dialback key and the stream that it was sent on (XEP-0220 §2.2). */
export interface KeyToVerify {
  /** Our domain, to which the other one wants to speak: the `from` of `db:verify`. */
  readonly receiving: string;
  /** The domain that the key speaks for: the `to` of `db:verify`. */
  readonly originating: string;
  /** The id of the incoming stream. */
  readonly streamId: string;
  readonly key: string;
}

/** What incoming streams need of outgoing ones. */
export interface KeyVerifier {
  /**
   * Asks the authoritative server of the originating domain whether the key is its own. Rejects with a
   * ConnectionFailure where it cannot be asked.
   */
  verify(key: KeyToVerify): Promise<boolean>;
}

/** A stream from one of our domains to another one, on which stanzas may be sent. */
export interface OutgoingStream {
  readonly local: string;
  readonly remote: string;
  /** How the other side has taken our word for who we are, for logs and administration. */
  readonly proof: 'certificate' | 'dialback';
  /** False where it is over, or too much waits to be read by the other side. */
  readonly writable: boolean;
  /** False where it is too large for the other side. */
  send(stanza: Stanza): boolean;
  /** Closes in order. */
  close(reason: string): void;
  /** Resolves when the stream is over, with why, and what the other side has not acknowledged, oldest first. */
  readonly closed: Promise<{ readonly reason: string; readonly unacknowledged: readonly Stanza[] }>;
}

/** Makes the dialback key of a stream of ours (XEP-0185): the same on every node. */
export type DialbackKey = (receiving: string, originating: string, streamId: string) => string;
