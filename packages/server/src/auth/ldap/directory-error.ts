/** Codes of a server that does not want now, of which another one may do better: busy, unavailable (RFC 4511 §4.1.9). */
export const NOT_NOW: ReadonlySet<number> = new Set([51, 52]);

export interface AwayOptions extends ErrorOptions {
  late?: boolean;
  crowded?: boolean;
  code?: number;
}

/** No server of the directory answers in time: come again later. */
export class DirectoryAway extends Error {
  override name = 'DirectoryAway';
  /** The time was over. */
  readonly late: boolean;
  /** It was over before anything was asked: too much else was on its way. */
  readonly crowded: boolean;
  /** A server has answered, but with this (RFC 4511 §4.1.9). */
  readonly code: number | undefined;

  constructor(message: string, { late = false, crowded = false, code, ...options }: AwayOptions = {}) {
    super(message, options);
    this.late = late;
    this.crowded = crowded;
    this.code = code;
  }
}

/** The directory has answered, but does not want to. */
export class DirectoryRefused extends Error {
  override name = 'DirectoryRefused';
  /** RFC 4511 §4.1.9. */
  readonly code: number;
  /** What the password policy has against a new password (draft-behera-ldap-password-policy §6.2): 5 quality, 6 too short, 7 too young, 8 had before. */
  readonly policyError: number | undefined;

  /** `message`: in the directory's own words. */
  constructor(code: number, message: string, policyError?: number) {
    super(message);
    this.code = code;
    this.policyError = policyError;
  }
}
