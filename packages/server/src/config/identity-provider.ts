import { domainPart } from '@parley/xmpp/jid';
import * as z from 'zod';
import { choice, count, file, flag, seconds, secret, secretFile, section } from './option.ts';
import { prepared } from './prepared.ts';

const live = true;

const DAY = 86_400;

/** Signatures that are checked by a public key: with a shared secret whoever can check could sign, too. */
export const TOKEN_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

const url = z
  .string()
  .max(2048)
  .refine((text) => /^https?:\/\//i.test(text) && URL.canParse(text) && !/[@#]/.test(text), {
    error: 'is not the URL of a web server: write https://host/path',
  });

const words = z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/, 'is no word: write it without spaces'));

const introspection = section('The provider is asked about each token (RFC 7662), in place of `keys`.', {
  url: url.optional().meta({ live, description: 'Where (`introspection_endpoint` of its metadata).' }),
  clientId: z.string().min(1).max(1024).optional().meta({ live, description: 'Who Parley is to the provider.' }),
  clientSecret: secret({ live, description: 'What Parley proves it by; better in a file.' }),
  clientSecretFile: secretFile('clientSecret', { live }),
  keepSeconds: seconds(30, {
    live,
    min: 0,
    max: 3600,
    description: 'So long an answer is believed: so long a token may work that was revoked there.',
  }),
});

const account = section('Whose account a token is for.', {
  claim: z.string().min(1).max(255).meta({
    live,
    description:
      'The claim that names the account, such as `preferred_username`, `email` or `sub`. It has to be one that people cannot set themselves.',
  }),
  domain: prepared('a domain', domainPart).optional().meta({
    live,
    description: 'Where the claim holds mere names: the domain that is put behind them. Otherwise it holds addresses.',
  }),
  stripDomain: z.string().min(1).max(255).optional().meta({
    live,
    description: 'Where names stand with another domain than ours, name@there: that domain. `domain` takes its place.',
  }),
  create: flag(false, {
    live,
    description:
      'Make the account, with a password that nobody knows, when somebody comes for the first time. Accounts of directories are never made.',
  }),
});

const identityProvider = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,62}$/, 'is not a name: write small letters, digits and hyphens')
    .meta({ description: 'What this provider is called in this file, in logs and in metrics.' }),
  domains: z.array(prepared('a domain', domainPart)).max(10_000).prefault([]).meta({
    live,
    description: 'The domains whose people log in by its tokens. Where none are named: all that this server serves.',
  }),
  issuer: url.meta({ live, description: 'What it calls itself: `issuer` of its metadata, letter for letter.' }),
  discovery: url.optional().meta({
    live,
    description:
      'Where clients find its metadata (RFC 8414, XEP-0493). Without it: /.well-known/openid-configuration below `issuer`.',
  }),
  authorities: file({
    live,
    description:
      'Certificates (PEM) of the authorities that vouch for its web server. Without it: those that the machine trusts. A reload reads them anew.',
  }),
  allowUnencrypted: flag(false, { live, description: 'Take URLs with http://, too: for a test on one machine.' }),
  keys: url.optional().meta({
    live,
    description:
      'Where its public keys are (`jwks_uri` of its metadata): tokens are JWTs (RFC 9068), checked by these.',
  }),
  algorithms: z.array(z.enum(TOKEN_ALGORITHMS)).min(1).default(['RS256', 'PS256', 'ES256', 'EdDSA']).meta({
    live,
    description: 'With `keys`: how its tokens may be signed.',
  }),
  types: z.array(z.string().min(1).max(100)).min(1).default(['at+jwt']).meta({
    live,
    description:
      'With `keys`: what `typ` in the header of a token may be. Providers that do not know RFC 9068 write JWT; then `audience` alone keeps other tokens than access tokens out.',
  }),
  introspection,
  audience: words.max(32).default([]).meta({
    live,
    description:
      'What tokens for this server have in `aud`: one of these. With `introspection` it may be empty, and is not looked at then.',
  }),
  scopes: words.max(32).default(['xmpp:client:normal']).meta({
    live,
    description:
      'What a token has to be good for: all of these (`scope`). Clients are told so (XEP-0493). In place of `xmpp:client:normal` it may have `xmpp:account:read` or `xmpp:account:write`: then it reads, or changes, what is kept of the account, and nothing else.',
  }),
  account,
  permission: choice(['normal', 'unrestricted'], 'normal', {
    live,
    description:
      'What clients with its tokens may do. `normal`: not change or remove the account, nor shut out other clients. `unrestricted`: that, too.',
  }),
  comeBackSeconds: seconds(DAY, {
    live,
    min: 0,
    description:
      'So long after it has shown a token of the provider a client may come back by one of this server (XEP-0484). 0: not at all.',
  }),
  clockSkewSeconds: seconds(30, { live, min: 0, max: 600, description: 'How much its clock may differ from ours.' }),
  timeoutSeconds: seconds(3, { live, max: 20, description: 'Time for it to answer; then people come again later.' }),
  connections: count(8, { live, max: 256, description: 'Connections of each node to it.' }),
  mostWaiting: count(256, {
    live,
    max: 100_000,
    description: 'Logins of each node that may wait for it; whoever comes then is told to come again later.',
  }),
});

export const identityProviders = z
  .array(identityProvider)
  .max(64)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'names one twice: name each once')
  .prefault([])
  .meta({
    live,
    named: true,
    description: 'Whose tokens people log in by (OAUTHBEARER, RFC 7628): OAuth 2.0 authorization servers.',
  });

/** One provider as the file has it, with every default filled in. */
export type IdentityProviderConfiguration = z.infer<typeof identityProvider>;

interface Parts {
  readonly identityProviders?: readonly Partial<IdentityProviderConfiguration>[] | undefined;
  readonly domains?:
    | readonly { readonly name?: string; readonly mechanisms?: readonly unknown[] | undefined }[]
    | undefined;
  readonly authentication?: { readonly mechanisms?: readonly unknown[] | undefined } | undefined;
}

interface ProviderProblem {
  readonly path: PropertyKey[];
  readonly message: string;
}

/** What is wrong between parts that are each as they should be. Any of them may be missing or not be what it should. */
export function identityProviderProblems({ identityProviders, domains, authentication }: Parts): ProviderProblem[] {
  const list = Array.isArray(identityProviders) ? identityProviders.filter((each) => typeof each === 'object') : [];
  const served = (Array.isArray(domains) ? domains : []).map(({ name }) => name);
  const problems = list.flatMap((each, index) =>
    ownProblems(each, served).map(({ path, message }) => ({ path: ['identityProviders', index, ...path], message })),
  );
  for (const [index, domain] of served.entries()) {
    const having = list.filter((each) => vouchesFor(each, domain));
    if (having.length > 1) {
      const message = `has more than one for ${domain}: name in \`domains\` of each what it is for`;
      problems.push({ path: ['identityProviders'], message });
    }
    const named = domains?.[index]?.mechanisms ?? authentication?.mechanisms;
    if (Array.isArray(named) && named.includes('OAUTHBEARER') && having.length === 0) {
      const message = `has none for ${domain}, which offers OAUTHBEARER: name one, or take OAUTHBEARER away`;
      problems.push({ path: ['identityProviders'], message });
    }
  }
  return problems;
}

export const vouchesFor = ({ domains = [] }: Partial<IdentityProviderConfiguration>, domain: string | undefined) =>
  domain !== undefined && (domains.length === 0 || domains.includes(domain));

function ownProblems(
  { allowUnencrypted, domains, audience, account, introspection, ...provider }: Partial<IdentityProviderConfiguration>,
  served: readonly (string | undefined)[],
): ProviderProblem[] {
  const { issuer, discovery, keys } = provider;
  const problems: ProviderProblem[] = [];
  const report = (path: PropertyKey[], message: string) => problems.push({ path, message });
  const urls = { issuer, discovery, keys, introspection: introspection?.url };
  for (const [name, text] of Object.entries(urls)) {
    if (allowUnencrypted || typeof text !== 'string' || !/^http:/i.test(text)) continue;
    const path = name === 'introspection' ? [name, 'url'] : [name];
    report(path, 'is not encrypted: write https://, or set `allowUnencrypted: true`');
  }
  if ((keys === undefined) === (introspection?.url === undefined)) {
    report(['keys'], 'says how tokens are checked, and so does `introspection.url`: write one of the two');
  }
  if (keys !== undefined && audience?.length === 0) {
    report(['audience'], 'is empty: write what tokens for this server have in `aud`, or those for others would do');
  }
  if (introspection?.url !== undefined) {
    if (introspection.clientId === undefined) report(['introspection', 'clientId'], 'is missing: write who Parley is');
    if (introspection.clientSecret === undefined) {
      report(['introspection', 'clientSecret'], 'is missing: write it, or a `clientSecretFile` that holds it');
    }
  }
  for (const [index, domain] of (domains ?? []).entries()) {
    if (!served.includes(domain)) report(['domains', index], 'is not served here: write one of `domains`');
  }
  const { domain, stripDomain } = account ?? {};
  if (stripDomain !== undefined && domain === undefined) {
    report(['account', 'domain'], 'is missing: write what takes the place of `stripDomain`');
  }
  if (domain !== undefined && (!served.includes(domain) || !vouchesFor({ domains: domains ?? [] }, domain))) {
    report(['account', 'domain'], 'is no domain that this provider is for: write one of those');
  }
  return problems;
}
