import { Jid } from '@parley/xmpp/jid';
import { withoutCapitals } from '../ascii-capitals.ts';
import type { ProviderSettings } from './provider-settings.ts';
import { own, type TokenClaims, TokenRefused } from './token-claims.ts';

/** Whose account a token is for, in this domain. Throws TokenRefused where it is nobody's. */
export function accountIn({ all }: TokenClaims, { account }: ProviderSettings, domain: string): Jid {
  const { claim, domain: ours, stripDomain } = account;
  const value = own(all, claim);
  if (typeof value !== 'string' || value === '') throw new TokenRefused(`it has no claim ${claim}`);
  // OpenID Connect Core §5.1: anybody could have said that this is their address
  if (claim === 'email' && !VERIFIED.has(own(all, 'email_verified'))) {
    throw new TokenRefused('its address is not verified');
  }
  const name = ours === undefined ? value.slice(0, value.indexOf('@')) : strip(value, stripDomain);
  const jid = ours === undefined ? Jid.tryParse(value) : named(name, ours);
  if (jid === undefined || !jid.isBare || jid.local === '') throw new TokenRefused(`its ${claim} is no account`);
  // two names that differ in more than that may be two people there, of whom one can have chosen what becomes the other's
  if (jid.local !== withoutCapitals(name)) throw new TokenRefused(`its ${claim} is an account in another form alone`);
  if (jid.domain !== domain) throw new TokenRefused(`its ${claim} is of another domain`);
  return jid;
}

/** Some providers write it as a text. Where nothing is said of it, the operator knows why it is to be believed. */
const VERIFIED: ReadonlySet<unknown> = new Set([undefined, true, 'true']);

function strip(value: string, domain: string | undefined): string {
  if (domain === undefined) return value;
  const at = value.lastIndexOf('@');
  if (at < 1 || value.slice(at + 1).toLowerCase() !== domain.toLowerCase()) {
    throw new TokenRefused(`it is not for ${domain}`);
  }
  return value.slice(0, at);
}

/** A mere name: nobody is to write the rest of an address into it. */
function named(name: string, domain: string): Jid | undefined {
  return /[@/]/.test(name) ? undefined : Jid.tryParse(`${name}@${domain}`);
}
