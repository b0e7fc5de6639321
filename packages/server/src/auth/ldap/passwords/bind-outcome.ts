import type { PasswordPolicyValue } from 'ldapts';

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
  | 'grace' // accepted although expired; `policy.graceLeft` tells how often still
  | 'expiring' // accepted; `policy.expiresInSeconds`
  | 'must-change' // right, but good for nothing else than being changed
  | 'expired'
  | 'locked'
  | 'disabled'
  | 'wrong' // or unknown: many directories tell them apart by nothing
  | 'unknown' // told by the directory itself: answer as for `wrong`
  | 'away'; // busy or unavailable: nothing was learnt

export interface BindOutcome {
  readonly kind: BindKind;
  /**
   * Whether the password has proved right. Where it has not, the rest must not be told to whoever tries: directories say
   * of some accounts that they are locked before they look at the password.
   */
  readonly proved: boolean;
  /** The result code (RFC 4511 §4.1.9). */
  readonly code: number;
  /** The directory's own words, for the log. */
  readonly diagnostic: string;
  readonly policy?: BindPolicy;
}

const CODE = { success: 0, constraintViolation: 19, invalidCredentials: 49, unwilling: 53 } as const;
const UNKNOWN = new Set([32, 34]); // no such object, invalid DN syntax
/** Answers about the password; all others are about the server, or about how it was asked. */
const ABOUT_PASSWORD = new Set([48, 49, 50, 53]);

/** Active Directory tells the reason in the text of code 49: [kind, whether it has looked at the password]. */
const ACTIVE_DIRECTORY = new Map<string, [BindKind, boolean]>([
  ['525', ['unknown', false]],
  ['52e', ['wrong', false]],
  ['52f', ['disabled', true]], // account restrictions
  ['530', ['disabled', true]], // not at this hour
  ['531', ['disabled', true]], // not from this machine
  ['532', ['expired', true]],
  ['533', ['disabled', true]],
  ['701', ['disabled', true]], // the account has expired
  ['773', ['must-change', true]],
  ['775', ['locked', false]],
]);

/** The result of a simple bind in neutral words. */
export function bindOutcome(code: number, diagnostic: string, control?: PasswordPolicyValue): BindOutcome {
  const [kind, proved] = verdict(code, diagnostic, control);
  return { kind, proved, code, diagnostic, ...(control !== undefined && { policy: policyOf(control) }) };
}

function policyOf({ error, graceAuthNsRemaining, timeBeforeExpiration }: PasswordPolicyValue): BindPolicy {
  return {
    ...(error !== undefined && { error }),
    ...(graceAuthNsRemaining !== undefined && { graceLeft: graceAuthNsRemaining }),
    ...(timeBeforeExpiration !== undefined && { expiresInSeconds: timeBeforeExpiration }),
  };
}

function verdict(code: number, diagnostic: string, control: PasswordPolicyValue = {}): [BindKind, boolean] {
  if (code === CODE.success) return [acceptedAs(control), true];
  if (UNKNOWN.has(code)) return ['unknown', false];
  // 389 DS, of an account that was tried too often
  if (code === CODE.constraintViolation) return ['locked', false];
  if (!ABOUT_PASSWORD.has(code)) return ['away', false];
  if (code === CODE.invalidCredentials) {
    const data = /\bdata ([0-9a-f]{3,4})\b/i.exec(diagnostic)?.[1]?.toLowerCase();
    const told = data === undefined ? undefined : ACTIVE_DIRECTORY.get(data);
    if (told !== undefined) return told;
    // OpenLDAP and 389 DS look at the age of a password once it has proved right, at locks before.
    if (control.error === 0 || /password.*expired/i.test(diagnostic)) return ['expired', true];
    if (control.error === 2) return ['must-change', true];
    return [control.error === 1 ? 'locked' : 'wrong', false];
  }
  if (code === CODE.unwilling) return [unwilling(diagnostic), false];
  return ['wrong', false];
}

function acceptedAs({ error, graceAuthNsRemaining, timeBeforeExpiration }: PasswordPolicyValue): BindKind {
  if (error === 2) return 'must-change';
  if (graceAuthNsRemaining !== undefined) return 'grace';
  return timeBeforeExpiration === undefined ? 'accepted' : 'expiring';
}

/** 389 DS and FreeIPA say in words why they are unwilling. */
function unwilling(diagnostic: string): BindKind {
  if (/inactivated|disabled/i.test(diagnostic)) return 'disabled';
  if (/locked|too many|retry/i.test(diagnostic)) return 'locked';
  return /expired/i.test(diagnostic) ? 'expired' : 'wrong';
}
