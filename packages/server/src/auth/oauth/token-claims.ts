/** What a token says, of whatever form it is. */
export interface TokenClaims {
  readonly all: Readonly<Record<string, unknown>>;
  readonly scopes: ReadonlySet<string>;
  /** The OAuth client that it was given to; '' where it does not say. */
  readonly client: string;
  /** When its owner agreed to that, as far as it says: milliseconds since 1970. */
  readonly granted: number;
}

/** A token that is good for nothing, and why. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
}

/** Whoever shuts a client out does so for the tokens that were given until then: older ones than this are not taken. */
export const OLDEST_TOKEN_MS = 30 * 86_400_000;

/** Claims as RFC 9068 and RFC 7662 name them, and as widespread providers do. */
export function claimsOf(all: Readonly<Record<string, unknown>>): TokenClaims {
  const [scope, scp] = [own(all, 'scope'), own(all, 'scp')];
  const words = [scope, scp].flatMap((each) => (Array.isArray(each) ? each : String(each ?? '').split(' ')));
  const client = [own(all, 'client_id'), own(all, 'azp'), own(all, 'appid')].find((each) => typeof each === 'string');
  const [login, issued] = [own(all, 'auth_time'), own(all, 'iat')].map((each) => (typeof each === 'number' ? each : 0));
  return {
    all,
    scopes: new Set(words.filter((word) => typeof word === 'string' && word !== '')),
    client: (client as string | undefined) ?? '',
    granted: (login || issued || 0) * 1000,
  };
}

/** A claim, where there is one: its name comes from the configuration, the rest from outside. */
export const own = (claims: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(claims, name) ? claims[name] : undefined;
