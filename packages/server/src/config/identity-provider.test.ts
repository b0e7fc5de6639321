import { expect, test } from 'vitest';
import { configurationSchema } from './schema.ts';

const provider = {
  name: 'corporate',
  issuer: 'https://id.example',
  keys: 'https://id.example/jwks',
  audience: ['xmpp'],
  account: { claim: 'preferred_username', domain: 'localhost' },
};

const problemsOf = (config: object): string[] =>
  (configurationSchema().safeParse(config).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')} ${message.replace(/:.*/, '')}`,
  );

test('a provider needs its issuer, its keys, an audience and a claim', () => {
  const config = configurationSchema().parse({ identityProviders: [provider] });
  expect(config.identityProviders[0]).toMatchObject({
    scopes: ['xmpp:client:normal'],
    types: ['at+jwt'],
    permission: 'normal',
    account: { create: false },
  });
});

test('all that is wrong is told at once', () => {
  const told = problemsOf({
    authentication: { mechanisms: ['OAUTHBEARER'] },
    domains: ['a.example', { name: 'b.example', mechanisms: ['PLAIN'] }, 'c.example'],
    identityProviders: [
      {
        ...provider,
        issuer: 'http://id.example',
        audience: [],
        domains: ['a.example'],
        account: { claim: 'sub', domain: 'b.example' },
      },
      {
        name: 'asked',
        issuer: 'https://id.example',
        keys: 'https://id.example/jwks',
        introspection: { url: 'http://id.example/introspect' },
        domains: ['a.example', 'd.example'],
        account: { claim: 'sub', stripDomain: 'corp.example' },
      },
    ],
  });
  expect(told).toEqual([
    'identityProviders.0.issuer is not encrypted',
    'identityProviders.0.audience is empty',
    'identityProviders.0.account.domain is no domain that this provider is for',
    'identityProviders.1.introspection.url is not encrypted',
    'identityProviders.1.keys says how tokens are checked, and so does `introspection.url`',
    'identityProviders.1.audience is empty',
    'identityProviders.1.introspection.clientId is missing',
    'identityProviders.1.introspection.clientSecret is missing',
    'identityProviders.1.domains.1 is not served here',
    'identityProviders.1.account.domain is missing',
    'identityProviders has more than one for a.example',
    'identityProviders has none for c.example, which offers OAUTHBEARER',
  ]);
});

test.each([
  [{ algorithms: ['none'] }],
  [{ algorithms: ['HS256'] }],
  [{ issuer: 'id.example' }],
  [{ issuer: 'https://user@id.example' }],
  [{ scopes: ['two words'] }],
  [{ account: {} }],
  [{ name: 'Corporate' }],
])('%j is refused', (wrong) => {
  expect(problemsOf({ identityProviders: [{ ...provider, ...wrong }] })).not.toEqual([]);
});

test('parts that are no groups at all do not hide what else is wrong', () => {
  expect(problemsOf({ identityProviders: [7, { ...provider, audience: [] }] }).length).toBeGreaterThan(1);
  expect(problemsOf({ identityProviders: 'corporate' }).length).toBe(1);
});
