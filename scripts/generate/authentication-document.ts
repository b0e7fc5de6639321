import { tokenMechanisms } from '@parley/xmpp/sasl/hashed-token';
import { saslMechanisms } from '@parley/xmpp/sasl/mechanisms';
import type { PasswordMechanism } from '../../packages/server/src/auth/authenticator.ts';
import { ownMechanisms } from '../../packages/server/src/auth/internal.ts';
import { directoryMechanisms } from '../../packages/server/src/auth/ldap/directory-authenticator.ts';
import type { DirectoryConfiguration } from '../../packages/server/src/config/directory.ts';
import { type Configuration, configurationSchema } from '../../packages/server/src/config/schema.ts';
import { offersOf, tokenMechanismsOn } from '../../packages/server/src/stream/sasl-offers.ts';
import type { Stream } from '../../packages/server/src/stream/stream.ts';
import { KERBEROS } from './kerberos-text.ts';

const HEAD = `# Logging in

<!-- Made from the code by \`npm run generate\`, scripts/generate/authentication-document.ts. Do not edit. -->

Which mechanisms a client is offered depends on three things alone: what the configuration names for the domain
(\`domains[].mechanisms\`, or \`authentication.mechanisms\`), how the connection is protected, and where the accounts of the domain
come from. It does not depend on who somebody says that they are: that would tell strangers which accounts there are. What was not
offered on a connection is not taken on it. [directory.md](directory.md#how-people-log-in) says what each kind of directory needs, and
[operations.md](operations.md) what to do about certificates.
`;

const CONNECTIONS = `
## By connection

*In clear text* is offered where \`tls.required\` is off, and nothing before TLS where it is on. A connection *binds* where its TLS
has tls-exporter (TLS 1.3, or TLS 1.2 with the extended master secret), tls-unique (that TLS 1.2 alone) or tls-server-end-point. *By default* tells what is offered where the configuration says nothing.

`;

const ACCOUNTS = `
## By accounts

A domain with several sources of accounts offers what all of them can do. The columns of the directory are the values of
\`directories[].passwords.scram\`.

`;

const TAIL = `
## Why

- **SCRAM** tells the server nothing that it could log in with elsewhere, and proves the server to the client. Its **-PLUS** forms fail
  where somebody sits between the two; a directory that speaks SCRAM itself knows nothing of the connection, so there are none.
  What was offered is part of the proof (XEP-0474), and so is how the connection binds (XEP-0440).
- **PLAIN** gives the password to the server, which some directories cannot do without. It is the last in the list, and never in
  clear text unless \`authentication.plainWithoutTls\` says so.
- **OAUTHBEARER** takes a token of an identity provider ([below](#by-an-identity-provider)). It proves nothing about the server: who
  sits between has the token, as with a password by PLAIN, so it is never taken in clear text. XEP-0474 protects it from being hidden, or
  shown, only where SCRAM is chosen.
- **EXTERNAL** looks at the client's certificate (\`tls.clientAuthorities\`), and **ANONYMOUS** at nothing: both are offered where they
  are named. EXTERNAL still asks whether the account may log in.
- **GSSAPI** takes a ticket of Kerberos, so that who has logged in at their desk needs no password here. The password never comes near
  this server, and client and server prove themselves to each other. [Below](#kerberos) is what it needs.
- **HT-SHA-256** proves a token that the client was given at an earlier login (XEP-0484). A token is good for one client, one
  mechanism, and for as long as the account is there, is not disabled, and has the same password
  ([0037](decisions/0037-tokens-not-kept.md)).

## By an identity provider

People of a domain may log in by the single sign-on of their organisation: OAuth 2.0, as RFC 7628 and XEP-0493 have it. The
password is told to the identity provider alone. A client that has no token sends an empty one, and is told where to get one: that
counts as no failure. Then the client shows the token that the provider gave it.

\`\`\`yaml
# parley.yaml
authentication:
  mechanisms: [OAUTHBEARER, SCRAM-SHA-256] # people with a password of this server come as before
identityProviders:
  - name: corporate
    issuer: https://id.example.org/realms/corporate
    keys: https://id.example.org/realms/corporate/protocol/openid-connect/certs
    audience: [xmpp]
    types: [at+jwt, JWT] # this provider calls all of its tokens JWT
    account: { claim: preferred_username, domain: localhost }
\`\`\`

| with | a token is checked by | what was revoked there ends here |
| --- | --- | --- |
| \`keys\` | its signature (RFC 9068), by the keys of the provider, which are asked for when they are unknown, or old | when the token expires |
| \`introspection\` | asking the provider about it (RFC 7662) | at the next login, \`keepSeconds\` later at most |

Either way it needs to be for this server (\`audience\`), by this \`issuer\`, not expired, and good for all of \`scopes\`; \`account\` says whose it is:
capitals of ASCII do not matter, everything else has to be as the account is written here.
The account has to be there, and not disabled, whoever keeps it; with \`identityProviders[].account.create\` it is made. **Choose a claim that people cannot
set themselves, and a provider that gives it to one person for ever.**

A token without \`xmpp:client:normal\` may be one for the account alone (XEP-0493 §5.1): with \`xmpp:account:read\` its client reads
what is kept of the account, with \`xmpp:account:write\` it changes that, and needs both for both. It sends nothing to anybody else, gets
nothing of others, takes over no session, and gets no token of this server. Other names in \`scopes\` have to be there all the same.

Sessions go on when their token expires. With a token of the provider a client gets one of ours (XEP-0484), by which it comes back for
\`comeBackSeconds\`, and then needs another one of the provider. Whoever is to be out at once is disabled here, or shut out (below).

A provider that does not answer keeps nobody waiting for longer than \`timeoutSeconds\`: clients are told \`temporary-auth-failure\`, by other
mechanisms people log in as ever, and tokens with a key that is known are good for a day. The log (\`oauth.provider.away\`), a metric
(\`parley.provider.away\`) and SNMP (\`xmppProviderLost\`) tell of it; \`oauth.token-refused\` tells why a token lets nobody in.

## Who has access

People see which clients have access to their account, and shut them out (XEP-0494); administrators do the same by
\`parley account clients\` and \`parley account revoke\`.

| a client that came by | is shut out by its owner | and by an administrator |
| --- | --- | --- |
| OAuth | at once, on all nodes and all devices; its tokens and what was granted until then are good for nothing. It comes back by what its owner grants anew | likewise |
| a password, ever | not: \`password-reset-required\`. Another password ends it | its tokens end, and its session; it can come back by the password |
| a certificate | not | likewise |

Clients with a token of an identity provider neither shut out others nor change the password, unless \`permission\` is \`unrestricted\`.

What was granted is older than what shuts it out by \`auth_time\`, which stays what it was when a provider renews a token (RFC 9068 §2.2.1).
Where tokens do not have it, by \`iat\`, and then a client that renews its tokens by itself comes back with the next one: have
the provider put \`auth_time\` into them, or end its access there, too.

What is remembered of clients, and for how long, is in \`authentication.clients\`.

## The two ways

| | SASL of RFC 6120 | SASL2 (XEP-0388) |
| --- | --- | --- |
| offered | over TLS, or in clear text as above | over TLS alone |
| mechanisms | as above, without HT | as above, and HT for clients that have a token |
| after the success | the stream begins anew | it goes on |
| with the login | nothing | a session resumed (XEP-0198) or a resource bound (XEP-0386), with stream management, copies and client state; a token (XEP-0484) |
| before the success | nothing | tasks that the client has asked for (XEP-0480): better verifiers, a new password for one that has expired |

A client speaks one of the two on a connection: the other one ends it. Failures count and wait the same in both
([0009](decisions/0009-failed-logins.md)), and so does the pace at which many come at once (\`limits.logins\`).

Tested are @xmpp/client (SASL2, Bind 2, tokens), slixmpp and nbxmpp (SASL of RFC 6120), libcurl (OAUTHBEARER), GNU SASL and MIT's library
(GSSAPI). The clients that Debian 12 has know neither Bind 2 nor tokens; go-xmpp 0.4.1 does, and was tried by hand with SCRAM-SHA-512-PLUS, Bind 2 and
HT-SHA-256-EXPR.

## What is told

| | the client is told |
| --- | --- |
| wrong password, proof or token; unknown account | \`not-authorized\`, after the same time |
| a ticket that is no good, or whose principal has no account here | the same, at once or later |
| a token of an identity provider that is not good | \`invalid_token\` or \`insufficient_scope\`, with where to get one (RFC 7628), then \`not-authorized\` |
| right, but the account is disabled | \`account-disabled\` |
| right, but the password or the token has expired | \`credentials-expired\`, or a task |
| right, but the password was changed since the login began | \`temporary-auth-failure\` |
| too many failures from there; the accounts, Kerberos or the identity provider cannot be asked just now | \`temporary-auth-failure\` |
| a mechanism that was not offered | \`invalid-mechanism\` |
| a binding that does not fit the connection | \`not-authorized\`, or \`mechanism-too-weak\` |
`;

const STRANGERS = `
## Whether there is such an account

Nobody finds that out who has not proved anything, nor those of other servers, nor users whom the account does not know: what they
are told is the same to the byte, and the same is asked of the keyspace and computed for it. \`tests/security/logins-tell-nothing.test.ts\`
and \`tests/security/strangers-learn-nothing.test.ts\` try each of these with accounts that are there, disabled, connected, and nobody's.

| what is tried | what there is for nobody, too |
| --- | --- |
| the header, the features of the stream | the same offer, with the same tasks (XEP-0480), whoever is named |
| PLAIN, \`jabber:iq:auth\` | a password is derived and compared with a verifier that none fits |
| SCRAM | a salt and a number of iterations that stay the same on all nodes, after restarts, and where there comes to be an account |
| a token | as many reads |
| the time that a wrong proof takes | it is answered at a time that counts from when it came, doubling from failure to failure |
| failures, by account and address | counted by the name |
| very many logins at once | nobody goes first by saying whose client it is, but by showing which session it comes back to |
| requests to the account or to a resource of it (RFC 6121 §8.5.1) | \`service-unavailable\`, also where XEP-0012 has \`forbidden\` |
| probes | \`unsubscribed\`, as from whoever has no such subscriber |
| subscriptions, presence | no answer |

What does tell, since it is meant to:

- **A message**: for somebody who is away it is stored, for nobody it is refused, so that a sender learns of a mistyped address.
  \`federation.hideAccounts\` has messages of other servers ignored instead.
- **A vCard**: who sets one shows it to everybody (XEP-0054). What a directory says of people is for users of this server and contacts.
- **Registration**, where \`registration.inBand\` lets strangers choose a name: one that is taken is refused (XEP-0077), ten times an
  hour for an address.
- **The search** in a directory (XEP-0055), for users of this server, where it is on; \`directories[].passwords.tellLocked\`, too.
- A change of \`authentication.iterations\`, for a while: of the accounts whose passwords are from before it, the challenges are mostly the
  former ones; of nobody's, a part.

How long something takes beyond that is not hidden: who is connected is found in memory, and a request to subscribe is stored.
`;

const ALL = [...saslMechanisms.map(({ name }) => name), ...tokenMechanisms.keys()];
const PLUS = ALL.filter((name) => name.endsWith('-PLUS'));
const configured = ALL.filter((name) => !PLUS.includes(name) && !tokenMechanisms.has(name));

interface Connection {
  readonly encrypted: boolean;
  readonly binds: boolean;
  readonly certificate: boolean;
}

/** What is offered of what could be. */
function offered(connection: Connection, config: Configuration, carried: ReadonlySet<PasswordMechanism>): Set<string> {
  const { encrypted, binds, certificate } = connection;
  const channelBinding = () => (binds ? Buffer.from('binding') : undefined);
  const transport = { channelBinding, peerCertificate: certificate ? Buffer.from('DER') : undefined };
  const stream = { encrypted, domain: 'localhost', transport } as unknown as Stream;
  return new Set([...offersOf(stream, config, carried, true).mechanisms, ...tokenMechanismsOn(stream)]);
}

const clear: Connection = { encrypted: false, binds: false, certificate: true };
const tls: Connection = { ...clear, encrypted: true };
const binding: Connection = { ...tls, binds: true };

const everything = configurationSchema().parse({
  tls: { required: false, clientAuthorities: 'ca.pem' },
  authentication: { mechanisms: configured, kerberos: { keytab: 'xmpp.keytab' } },
  identityProviders: [
    { name: 'one', issuer: 'https://one', keys: 'https://one', audience: ['xmpp'], account: { claim: 'sub' } },
  ],
});

const MORE = new Map([
  ['EXTERNAL', 'with a certificate of the client'],
  ['GSSAPI', 'with a keytab that works'],
  ['HT-SHA-256-UNIQ', 'with TLS 1.2 and the extended master secret'],
  ['OAUTHBEARER', 'with an identity provider for the domain'],
]);

const yes = (is: boolean) => (is ? 'yes' : '–');
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');

function byConnection(): string {
  const carried = ownMechanisms;
  const states = [clear, tls, binding].map((connection) => offered(connection, everything, carried));
  const byDefault = offered({ ...binding, certificate: false }, configurationSchema().parse({}), carried);
  const rows = ALL.map((name) => [
    name,
    ...states.map((state) => yes(state.has(name))),
    MORE.get(name) ?? '',
    yes(byDefault.has(name)),
  ]);
  return table(['mechanism', 'in clear text', 'TLS', 'TLS that binds', 'more', 'by default'], rows);
}

function byAccounts(): string {
  const kinds = ['none', 'learn', 'verifiers', 'relay'] as const;
  const passwords = (scram: (typeof kinds)[number]) =>
    ({ scram, hashes: ['SHA-512', 'SHA-256', 'SHA-1'] }) as DirectoryConfiguration['passwords'];
  const sources = [ownMechanisms, ...kinds.map((kind) => directoryMechanisms(passwords(kind)))];
  const offers = sources.map((carried) => offered(binding, everything, carried));
  const rows = ALL.map((name) => [name, ...offers.map((offer) => yes(offer.has(name)))]);
  return table(['mechanism', 'kept by the server', ...kinds.map((kind) => `directory: \`${kind}\``)], rows);
}

/** docs/authentication.md */
export const authenticationDocument = (): string =>
  HEAD + CONNECTIONS + byConnection() + ACCOUNTS + byAccounts() + TAIL + STRANGERS + KERBEROS;
