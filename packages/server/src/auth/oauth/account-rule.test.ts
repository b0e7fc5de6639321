import { expect, test } from 'vitest';
import { accountIn } from './account-rule.ts';
import type { ProviderSettings } from './provider-settings.ts';
import { claimsOf, TokenRefused } from './token-claims.ts';

/** Whose account it is; undefined where the token is refused. */
function accountFor(claims: object, account: object): string | undefined {
  try {
    return accountIn(claimsOf({ ...claims }), { account } as ProviderSettings, 'localhost').toString();
  } catch (error) {
    if (error instanceof TokenRefused) return undefined;
    throw error;
  }
}

test.each<[string, object, object, string | undefined]>([
  ['addresses', { claim: 'xmpp' }, { xmpp: 'Juliet@LOCALHOST' }, 'juliet@localhost'],
  ['addresses of others', { claim: 'xmpp' }, { xmpp: 'juliet@elsewhere' }, undefined],
  ['full addresses', { claim: 'xmpp' }, { xmpp: 'juliet@localhost/balcony' }, undefined],
  ['no addresses', { claim: 'xmpp' }, { xmpp: 'juliet' }, undefined],
  ['a name in a claim that every object has', { claim: 'constructor', domain: 'localhost' }, {}, undefined],
  [
    'names of another domain',
    { claim: 'upn', stripDomain: 'corp.example', domain: 'localhost' },
    { upn: 'juliet@CORP.example' },
    'juliet@localhost',
  ],
  [
    'names of a third domain',
    { claim: 'upn', stripDomain: 'corp.example', domain: 'localhost' },
    { upn: 'juliet@evil.example' },
    undefined,
  ],
  [
    'names that hide an address',
    { claim: 'upn', stripDomain: 'corp.example', domain: 'localhost' },
    { upn: 'romeo@localhost/@corp.example' },
    undefined,
  ],
  ['mail addresses', { claim: 'email' }, { email: 'juliet@localhost', email_verified: true }, 'juliet@localhost'],
  ['unproved ones', { claim: 'email' }, { email: 'juliet@localhost', email_verified: false }, undefined],
  ['ones unproved in words', { claim: 'email' }, { email: 'juliet@localhost', email_verified: 'false' }, undefined],
  ['addresses in wide letters', { claim: 'xmpp' }, { xmpp: '\uff4auliet@localhost' }, undefined],
])('the claim may hold %s', (_, account, claims, expected) => {
  expect(accountFor(claims, account)).toBe(expected);
});
