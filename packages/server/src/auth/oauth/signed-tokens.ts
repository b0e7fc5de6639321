import { errors, type JWTPayload, type JWTVerifyOptions, type JWTVerifyResult, jwtVerify } from 'jose';
import type { KeySet } from './key-set.ts';
import { ProviderAway } from './provider-calls.ts';
import type { ProviderSettings } from './provider-settings.ts';
import { OLDEST_TOKEN_MS, TokenRefused } from './token-claims.ts';

/** Where a token does not say which of several keys it is signed by, so many are tried. */
const MOST_KEYS = 8;

/** Checks a token that is a JWT (RFC 9068 §4). Gives its claims; throws TokenRefused or ProviderAway. */
export async function checkSigned(token: string, keys: KeySet, settings: ProviderSettings): Promise<JWTPayload> {
  const options: JWTVerifyOptions = {
    issuer: settings.issuer,
    audience: settings.audience,
    algorithms: settings.algorithms,
    clockTolerance: settings.clockSkewSeconds,
    maxTokenAge: OLDEST_TOKEN_MS / 1000, // `iat` is needed for that
    requiredClaims: ['exp'],
  };
  let verified: JWTVerifyResult;
  try {
    verified = await jwtVerify(token, keys.find, options).catch((error) => tryEach(error, token, options));
  } catch (error) {
    if (error instanceof ProviderAway) throw error;
    // whatever a stranger has put into it
    throw new TokenRefused((error as Error).message, { cause: error });
  }
  // RFC 9068 §4: no other token of the same provider is one that lets anybody in
  const type = verified.protectedHeader.typ?.toLowerCase().replace(/^application\//, '') ?? '';
  if (!settings.types.some((each) => each.toLowerCase() === type)) {
    throw new TokenRefused(`its type is ${JSON.stringify(type)}, which \`types\` does not name`);
  }
  return verified.payload;
}

async function tryEach(error: unknown, token: string, options: JWTVerifyOptions): Promise<JWTVerifyResult> {
  if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
  let tried = 0;
  for await (const key of error) {
    if (tried++ >= MOST_KEYS) break;
    try {
      return await jwtVerify(token, key, options);
    } catch (failure) {
      if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}
