import type { Entry } from './entry.ts';
import { fileTime, generalizedTime } from './ldap-time.ts';

/** Whether a person may log in, as the attributes of the entry tell it. Times are milliseconds since 1970. */
export type PersonState =
  | { readonly kind: 'active' /** When that ends, as far as it is known. */; readonly expiresAt?: number }
  | {
      readonly kind: 'disabled' | 'locked' | 'expired' | 'must-change' /** When that ends by itself. */;
      readonly until?: number;
    };

/** What a policy that stands in an entry of its own says (draft-behera-ldap-password-policy §5.2). */
export interface PasswordPolicy {
  /** How long a password is good for; undefined: for ever. */
  readonly maxAge: number | undefined;
  /** How long an account stays locked; undefined: until somebody unlocks it. */
  readonly lockoutDuration: number | undefined;
}

/** How one kind of directory says who may log in. */
export interface StateRules {
  /** Operational attributes, which only come where they are named. */
  readonly attributes: readonly string[];
  /** The attribute that names the policy, where its rules are needed. */
  readonly policyAttribute?: string;
  read(entry: Entry, now: number, policy: PasswordPolicy | undefined): PersonState;
}

const isTrue = (text: string | undefined): boolean => /^true$/i.test(text ?? '');
const after = (now: number, until: number): PersonState & { kind: 'locked' } => ({
  kind: 'locked',
  ...(until > now && { until }),
});

/** Active until the first of these moments. */
function active(...ends: (number | undefined)[]): PersonState {
  const known = ends.filter((end) => end !== undefined);
  return known.length === 0 ? { kind: 'active' } : { kind: 'active', expiresAt: Math.min(...known) };
}

/** draft-behera-ldap-password-policy §5.3, as OpenLDAP's overlay keeps it. */
const openldap: StateRules = {
  attributes: ['pwdAccountLockedTime', 'pwdReset', 'pwdChangedTime', 'pwdStartTime', 'pwdEndTime', 'pwdPolicySubentry'],
  policyAttribute: 'pwdPolicySubentry',
  read(entry, now, policy) {
    const time = (name: string) => generalizedTime(entry.text(name));
    const lockedAt = entry.text('pwdAccountLockedTime');
    if (lockedAt === '000001010000Z') return { kind: 'disabled' };
    const start = time('pwdStartTime');
    if (start !== undefined && start > now) return { kind: 'disabled', until: start };
    const end = time('pwdEndTime');
    if (end !== undefined && end <= now) return { kind: 'disabled' };
    if (lockedAt !== undefined) {
      const at = generalizedTime(lockedAt);
      if (at === undefined || policy?.lockoutDuration === undefined) return { kind: 'locked' };
      if (at + policy.lockoutDuration > now) return after(now, at + policy.lockoutDuration);
    }
    if (isTrue(entry.text('pwdReset'))) return { kind: 'must-change' };
    const changed = time('pwdChangedTime');
    const expires = changed === undefined || policy?.maxAge === undefined ? undefined : changed + policy.maxAge;
    return expires !== undefined && expires <= now ? { kind: 'expired' } : active(expires, end);
  },
};

const EPOCH = 0; // 389 DS writes 1970 where it means "for ever", or "at once"

const ds389: StateRules = {
  attributes: ['nsAccountLock', 'passwordExpirationTime', 'accountUnlockTime'],
  read(entry, now) {
    if (isTrue(entry.text('nsAccountLock'))) return { kind: 'disabled' };
    const unlock = generalizedTime(entry.text('accountUnlockTime'));
    if (unlock === EPOCH) return { kind: 'locked' };
    if (unlock !== undefined && unlock > now) return after(now, unlock);
    const expires = generalizedTime(entry.text('passwordExpirationTime'));
    if (expires === EPOCH) return { kind: 'must-change' };
    return expires !== undefined && expires <= now ? { kind: 'expired' } : active(expires);
  },
};

const freeipa: StateRules = {
  attributes: ['nsAccountLock', 'krbPasswordExpiration', 'krbPrincipalExpiration'],
  read(entry, now) {
    if (isTrue(entry.text('nsAccountLock'))) return { kind: 'disabled' };
    const end = generalizedTime(entry.text('krbPrincipalExpiration'));
    if (end !== undefined && end <= now) return { kind: 'disabled' };
    // A password that an administrator has set expires in that moment, so that it has to be changed.
    const expires = generalizedTime(entry.text('krbPasswordExpiration'));
    return expires !== undefined && expires <= now ? { kind: 'expired' } : active(expires, end);
  },
};

/** Bits of userAccountControl and of msDS-User-Account-Control-Computed. */
const UAC = { disabled: 0x2, locked: 0x10, passwordNeverExpires: 0x1_0000, passwordExpired: 0x80_0000 } as const;

const activeDirectory: StateRules = {
  attributes: [
    'userAccountControl',
    'msDS-User-Account-Control-Computed',
    'lockoutTime',
    'accountExpires',
    'pwdLastSet',
    'msDS-UserPasswordExpiryTimeComputed',
  ],
  read(entry, now) {
    const flags = Number(entry.text('userAccountControl') ?? 0);
    if ((flags & UAC.disabled) !== 0) return { kind: 'disabled' };
    const end = fileTime(entry.text('accountExpires'));
    const ends = typeof end === 'number' && end !== 0 ? end : undefined;
    if (ends !== undefined && ends <= now) return { kind: 'disabled' };
    const computed = entry.text('msDS-User-Account-Control-Computed');
    // lockoutTime stays when the lock is over, until the next login; what is computed knows better.
    const lockedAt = fileTime(entry.text('lockoutTime'));
    const locked =
      computed === undefined ? typeof lockedAt === 'number' && lockedAt !== 0 : (Number(computed) & UAC.locked) !== 0;
    if (locked) return { kind: 'locked' };
    if ((flags & UAC.passwordNeverExpires) !== 0) return active(ends);
    if (entry.text('pwdLastSet') === '0') return { kind: 'must-change' };
    const expires = fileTime(entry.text('msDS-UserPasswordExpiryTimeComputed'));
    const expired = typeof expires === 'number' && expires !== 0 && expires <= now;
    if (expired || (Number(computed ?? 0) & UAC.passwordExpired) !== 0) return { kind: 'expired' };
    return active(typeof expires === 'number' && expires !== 0 ? expires : undefined, ends);
  },
};

/** Where nobody's rules hold: everybody who is there may log in. */
const none: StateRules = { attributes: [], read: () => ({ kind: 'active' }) };

export const stateRules = { openldap, '389ds': ds389, freeipa, activeDirectory, none } as const;
