/** What the password policy said beside the result of a bind. */
export interface BindPolicy {
  /** draft-behera-ldap-password-policy §6.2: 0 expired, 1 locked, 2 to be changed. */
  readonly error?: number;
  readonly graceLeft?: number;
  readonly expiresInSeconds?: number;
}

/** What became of a password, in words that are the same for every kind of directory. */
export type BindKind =
  | 'accepted' // and nothing else is to be said
  | 'grace' // accepted although expired; `graceLeft` tells how often still
  | 'expiring' // accepted; `expiresInSeconds`
  | 'must-change' // right, but good for nothing else than being changed
  | 'expired'
  | 'locked'
  | 'disabled'
  | 'wrong' // or unknown: many directories tell them apart by nothing
  | 'unknown' // told by the directory itself: answer as for `wrong`
  | 'away'; // busy or unavailable: nothing was learnt

export interface BindOutcome {
  readonly kind: BindKind;
  /** The result code (RFC 4511 §4.1.9). */
  readonly code: number;
  /** The directory's own words, for the log. */
  readonly diagnostic: string;
  readonly policy?: BindPolicy;
}
