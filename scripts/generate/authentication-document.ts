import { tokenMechanisms } from '@parley/xmpp/sasl/hashed-token';
import { saslMechanisms } from '@parley/xmpp/sasl/mechanisms';
import type { PasswordMechanism } from '../../packages/server/src/auth/authenticator.ts';
import { ownMechanisms } from '../../packages/server/src/auth/internal.ts';
import { directoryMechanisms } from '../../packages/server/src/auth/ldap/directory-authenticator.ts';
import type { DirectoryConfiguration } from '../../packages/server/src/config/directory.ts';
import { type Configuration, configurationSchema } from '../../packages/server/src/config/schema.ts';
import { offersOf } from '../../packages/server/src/stream/sasl-offers.ts';
import type { Stream } from '../../packages/server/src/stream/stream.ts';

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
has tls-exporter (TLS 1.3) or tls-server-end-point. *By default* tells what is offered where the configuration says nothing.

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
- **EXTERNAL** looks at the client's certificate (\`tls.clientAuthorities\`), and **ANONYMOUS** at nothing: both are offered where they
  are named. EXTERNAL still asks whether the account may log in.
- **HT-SHA-256** proves a token that the client was given at an earlier login (XEP-0484). A token is good for one client, one
  mechanism, and for as long as the account is there, is not disabled, and has the same password
  ([0037](decisions/0037-tokens-not-kept.md)).

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

## What is told

| | the client is told |
| --- | --- |
| wrong password, proof or token; unknown account | \`not-authorized\`, after the same time |
| right, but the account is disabled | \`account-disabled\` |
| right, but the password or the token has expired | \`credentials-expired\`, or a task |
| too many failures from there; the accounts cannot be asked just now | \`temporary-auth-failure\` |
| a mechanism that was not offered | \`invalid-mechanism\` |
| a binding that does not fit the connection | \`not-authorized\`, or \`mechanism-too-weak\` |
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
  const tokens = [...tokenMechanisms].filter(([, type]) => encrypted && (type === undefined || binds));
  return new Set([...offersOf(stream, config, carried).mechanisms, ...tokens.map(([name]) => name)]);
}

const clear: Connection = { encrypted: false, binds: false, certificate: true };
const tls: Connection = { ...clear, encrypted: true };
const binding: Connection = { ...tls, binds: true };

const everything = configurationSchema().parse({
  tls: { required: false, clientAuthorities: 'ca.pem' },
  authentication: { mechanisms: configured },
});

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
    name === 'EXTERNAL' ? 'with a certificate of the client' : '',
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
  HEAD + CONNECTIONS + byConnection() + ACCOUNTS + byAccounts() + TAIL;
