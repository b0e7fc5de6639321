import { Jid } from '../jid.ts';
import { SaslError } from '../sasl-error.ts';
import { decodeMessage, requireOwnIdentity } from './identity.ts';
import type { BearerTokens, MechanismExchange, SaslServices, SaslStep } from './mechanism.ts';

/** What a client sends at first. */
export interface BearerMessage {
  /** The authorization identity, '' where there is none. */
  readonly authzid: string;
  /** '' where the client has none yet, and wants to know where it gets one (XEP-0493 §3.1). */
  readonly token: string;
}

const SEPARATOR = '\x01';
/** RFC 7628 §3.1: a key is of letters, a value of these characters and white space. */
const PAIR = /^([A-Za-z]+)=([\x21-\x7e \t\r\n]*)$/;
/**
 * RFC 6750 §2.1; the name of the scheme in any case (RFC 9110 §11.1). A token has one character at least, so that white space
 * is read in one way alone: in several ways, much of it would take a time that grows with its square.
 */
const BEARER = /^Bearer(?: +([A-Za-z0-9._~+/-]+=*))? *$/i;
const MOST_PAIRS = 32;
/** Room for a token with many claims; what a stream takes before a login is less than that by default. */
export const MOST_BEARER_BYTES = 16_384;

/** Reads `gs2-header kvsep *kvpair kvsep` (RFC 7628 §3.1, RFC 5801 §4). Throws a SaslError. */
export function parseBearerMessage(data: Buffer): BearerMessage {
  const message = decodeMessage(data);
  const end = message.indexOf(SEPARATOR);
  const header = /^([yn]|p=[A-Za-z0-9.-]+),(?:a=((?:[^,=\x00]|=2C|=3D)+))?,$/.exec(message.slice(0, end));
  if (end < 0 || header === null) throw malformed('it does not begin with a GS2 header');
  // there is no OAUTHBEARER-PLUS, so that `y` and `n` are the same; a binding would have to be checked
  if (header[1]?.startsWith('p=')) throw new SaslError('mechanism-too-weak', 'This mechanism binds to no channel.');
  if (!message.endsWith(SEPARATOR + SEPARATOR)) throw malformed('it does not end as it should');
  const pairs = new Map<string, string>();
  const texts = message.slice(end + 1, -2).split(SEPARATOR);
  if (texts.length > MOST_PAIRS) throw malformed('it has too many parts');
  for (const text of texts) {
    const [, key = '', value = ''] = PAIR.exec(text) ?? [];
    if (key === '') throw malformed('it has a part that is no key with a value');
    if (pairs.has(key)) throw malformed(`it has ${key} twice`);
    pairs.set(key, value);
  }
  const bearer = BEARER.exec(pairs.get('auth') ?? '');
  if (bearer === null) throw malformed('it has no bearer token');
  const authzid = (header[2] ?? '').replaceAll('=2C', ',').replaceAll('=3D', '=');
  return { authzid, token: bearer[1] ?? '' };
}

const malformed = (why: string) => new SaslError('malformed-request', `OAUTHBEARER does not look like this: ${why}.`);

/**
 * OAUTHBEARER (RFC 7628): somebody whom the server trusts has given the client a token. A refusal is told as JSON in a
 * challenge; the failure follows once the client has answered to that.
 */
export class OauthBearerExchange implements MechanismExchange {
  readonly #services: SaslServices;
  #refused = false;

  constructor(services: SaslServices) {
    this.#services = services;
  }

  async step(data: Buffer): Promise<SaslStep> {
    if (this.#refused) {
      // RFC 7628 §3.2.3: whatever the client says to that, it is over
      throw new SaslError('not-authorized');
    }
    const { authzid, token } = parseBearerMessage(data);
    const { bearer } = this.#services;
    if (bearer === undefined) throw new SaslError('temporary-auth-failure', 'No tokens are taken just now.');
    const verdict = await bearer.check(token, Jid.tryParse(authzid)?.bare);
    if (!verdict.accepted) {
      this.#refused = true;
      return { type: 'challenge', data: refusal(verdict.status, bearer) };
    }
    requireOwnIdentity(authzid, verdict.account);
    return { type: 'success', identity: verdict.account };
  }
}

/** RFC 7628 §3.2.2 */
function refusal(status: string, { scope, discovery }: BearerTokens): Buffer {
  const told = { status, ...(scope !== '' && { scope }), 'openid-configuration': discovery };
  return Buffer.from(JSON.stringify(told));
}
