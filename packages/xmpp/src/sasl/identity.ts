import { Jid, JidError } from '../jid.ts';
import { SaslError } from '../sasl-error.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes what a client sent. Throws SaslError where it is not UTF-8. */
export function decodeMessage(data: Buffer): string {
  try {
    return decoder.decode(data);
  } catch (cause) {
    throw new SaslError('malformed-request', 'The message is not UTF-8.', { cause });
  }
}

/** The account of a user name: a local part of the domain (RFC 6120 §6.3.7). A name that no account can have fails. */
export function accountOf(username: string, domain: string): Jid {
  try {
    return Jid.of(username, domain);
  } catch (error) {
    if (error instanceof JidError) throw new SaslError('not-authorized');
    throw error;
  }
}

/** RFC 6120 §6.3.8: nobody acts for somebody else here, so an authorization identity, if any, names the account itself. */
export function requireOwnIdentity(authzid: string, account: Jid): void {
  if (authzid !== '' && !account.equals(Jid.tryParse(authzid))) throw new SaslError('invalid-authzid');
}

/** The same, for clients that name the account by its local part alone where the mechanism has no other place for a name. */
export function requireOwnName(authzid: string, account: Jid): void {
  if (authzid !== account.local) requireOwnIdentity(authzid, account);
}
