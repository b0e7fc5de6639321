import { Jid, JidError } from '@parley/xmpp/jid';
import type { KerberosConfiguration } from '../../config/kerberos.ts';
import { withoutCapitals } from '../ascii-capitals.ts';

/** RFC 4120 §6.1, §6.2 */
export interface Principal {
  readonly components: readonly string[];
  readonly realm: string;
}

/** Reads `one/two@REALM` as RFC 1964 §2.1 has it, with \ in front of what is meant literally; undefined where it is none. */
export function parsePrincipal(text: string): Principal | undefined {
  const components = [''];
  let realm: string | undefined;
  for (const [piece = ''] of text.matchAll(/\\[\s\S]|[\s\S]/gu)) {
    if (piece === '@') {
      if (realm !== undefined) return undefined;
      realm = '';
    } else if (piece === '/' && realm === undefined) {
      components.push('');
    } else {
      const literal =
        piece.length > 1 && piece.startsWith('\\') ? (ESCAPED.get(piece.slice(1)) ?? piece.slice(1)) : piece;
      if (realm === undefined) components.push(`${components.pop()}${literal}`);
      else realm += literal;
    }
  }
  return realm ? { components, realm } : undefined;
}

const ESCAPED = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['b', '\b'],
  ['0', '\0'],
]);

/** The account in a domain that a principal has; undefined where it has none there. */
export function accountOfPrincipal(text: string, domain: string, rules: KerberosConfiguration): Jid | undefined {
  const named = rules.principals.find(({ name }) => name === text);
  if (named !== undefined) {
    const account = Jid.parse(named.account);
    return account.domain === domain ? account : undefined;
  }
  const principal = parsePrincipal(text);
  const [name = '', ...instance] = principal?.components ?? [];
  if (principal === undefined || instance.length > 0 || !isOf(principal.realm, domain, rules)) return undefined;
  try {
    const account = Jid.of(name, domain);
    // two principals that differ in case alone may be two people; in more than that they always may be
    return account.local === (rules.ignoreCase ? withoutCapitals(name) : name) ? account : undefined;
  } catch (error) {
    if (error instanceof JidError) return undefined;
    throw error;
  }
}

/** The realm is trusted with the accounts of the domain. */
export const isOf = (realm: string, domain: string, { realms }: KerberosConfiguration): boolean =>
  realms.length === 0
    ? realm === domain.toUpperCase()
    : realms.some((each) => each.name === realm && each.domain === domain);

/** The service is XMPP at some host, and, where the name has it (XEP-0233), for this domain. */
export function isXmppService(text: string, domain: string): boolean {
  const [service, host, forDomain = domain, ...more] = parsePrincipal(text)?.components ?? [];
  return service === 'xmpp' && host !== undefined && more.length === 0 && forDomain.toLowerCase() === domain;
}
