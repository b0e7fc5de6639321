import { PasswordError, preparePassword } from '../password.ts';
import { SaslError } from '../sasl-error.ts';
import { accountOf, decodeMessage, requireOwnIdentity } from './identity.ts';
import type { MechanismExchange, SaslServices, SaslStep } from './mechanism.ts';

/** PLAIN (RFC 4616) */
export class PlainExchange implements MechanismExchange {
  readonly #services: SaslServices;

  constructor(services: SaslServices) {
    this.#services = services;
  }

  async step(data: Buffer): Promise<SaslStep> {
    const parts = decodeMessage(data).split('\0');
    const [authzid, username, text] = parts;
    if (parts.length !== 3 || authzid === undefined || !username || text === undefined) {
      throw new SaslError('malformed-request', 'PLAIN takes an optional identity, a name and a password.');
    }
    const account = accountOf(username, this.#services.domain);
    requireOwnIdentity(authzid, account);
    const password = preparedOrRefused(text);
    if (!(await this.#services.verifyPassword(account, password))) throw new SaslError('not-authorized');
    return { type: 'success', identity: account };
  }
}

// Empty passwords never reach the verifier: a directory may take a bind with one for an anonymous one (RFC 4513 §5.1.2).
function preparedOrRefused(text: string): string {
  try {
    return preparePassword(text);
  } catch (error) {
    if (error instanceof PasswordError) throw new SaslError('not-authorized');
    throw error;
  }
}
