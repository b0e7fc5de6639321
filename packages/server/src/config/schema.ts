import { domainPart, Jid, JidError } from '@parley/xmpp/jid';
import * as z from 'zod';
import { audit } from './audit.ts';
import { clients } from './clients.ts';
import { componentProblems, components } from './components.ts';
import { contact } from './contact.ts';
import { accountSources, type DirectoryProblem, directories, directoryProblems, INTERNAL } from './directory.ts';
import { federation } from './federation.ts';
import { identityProviderProblems, identityProviders } from './identity-provider.ts';
import { kerberos } from './kerberos.ts';
import { limits, offline, roster, stream } from './limits.ts';
import { listen, listenProblems, proxyProtocol } from './listen.ts';
import { mechanisms, namesMechanism } from './mechanisms.ts';
import { opentelemetry } from './opentelemetry.ts';
import { bytes, choice, count, file, flag, milliseconds, seconds, secret, secretFile, section } from './option.ts';
import { peerProofProblems } from './peer-proofs.ts';
import { prepared } from './prepared.ts';
import { snmp } from './snmp.ts';
import { sound } from './sound.ts';
import { isTree } from './tree.ts';

const live = true;

const certificateWithKey = z.refine<{ certificate?: unknown; key?: unknown }>(
  ({ certificate, key }) => (certificate === undefined) === (key === undefined),
  { error: 'has only one of `certificate` and `key`: give both or neither', when: ({ value }) => isTree(value) },
);

const account = prepared('the bare address of an account', (text) => {
  const jid = Jid.parse(text);
  if (!jid.isBare || jid.isDomain) throw new JidError('write it as user@domain');
  return jid.bareText;
});

const MOST_REPLICAS = 10;

const domain = z
  .preprocess(
    (value) => (typeof value === 'string' ? { name: value } : value),
    z
      .strictObject({
        name: prepared('a domain', domainPart).meta({
          description: 'The domain, as it stands behind the @ of an address.',
        }),
        certificate: file({
          live,
          description: 'Certificate chain (PEM) of this domain, instead of `tls.certificate`.',
        }),
        key: file({ live, description: 'Private key (PEM) of this domain, instead of `tls.key`.' }),
        mechanisms: mechanisms.optional().meta({
          live,
          description: 'SASL mechanisms of this domain, instead of `authentication.mechanisms`.',
        }),
        accounts: accountSources.optional().meta({
          description: 'Where the accounts of this domain come from, instead of `authentication.accounts`.',
        }),
        replicas: z.number().int().min(0).max(MOST_REPLICAS).optional().meta({
          live: false,
          description:
            'So many replicas of Redis must have whatever belongs to this domain before it is acknowledged, instead of `keyspace.replicas`. Other domains are not slower for it.',
        }),
      })
      .check(certificateWithKey),
  )
  .meta({ shorthand: 'name' });

const domains = z
  .array(domain)
  .min(1)
  .max(10_000)
  .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'names a domain twice: name each once')
  .prefault(['localhost'])
  .meta({ description: 'The virtual domains that this server serves: names, or objects with a `name`.' });

// AEAD with forward secrecy only (RFC 7590 §3.2, RFC 9325 §4.2).
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
].join(':');

const tls = section('Encryption towards clients.', {
  certificate: file({
    live,
    description:
      'Certificate chain (PEM) for all domains without one of their own. Without it the node makes a self-signed one.',
  }),
  key: file({ live, description: 'Private key (PEM) of that certificate.' }),
  clientAuthorities: file({
    live,
    description: 'Certificates (PEM) of the authorities that vouch for users’ own certificates; EXTERNAL needs them.',
  }),
  clientRevocations: file({
    live,
    description:
      'Revocation lists (PEM) of those authorities and of all between them and a user, one behind the other: a certificate that is on its list, or whose list is missing or out of date, is not taken. The file is read again when it changes.',
  }),
  clientMailAddresses: flag(true, {
    live,
    description:
      'A user’s certificate that names no XMPP address counts for the mail address that it names, where that is the address of an account.',
  }),
  minVersion: choice(['TLSv1.2', 'TLSv1.3'], 'TLSv1.2', { live, description: 'The oldest version of TLS accepted.' }),
  ciphers: z.string().min(1).max(4096).default(CIPHERS).meta({
    live,
    description:
      'Cipher suites in OpenSSL’s words, best first. The default has only authenticated encryption with forward secrecy.',
  }),
  required: flag(true, { live, description: 'Nothing but STARTTLS is allowed on a connection that is not encrypted.' }),
}).check(certificateWithKey);

const keyspace = section('Where accounts, rosters, offline messages and everything shared is kept.', {
  url: z
    .string()
    .regex(/^(embedded:.+|rediss?:\/\/.+|redis\+(sentinel|cluster):\/\/.+)$/, {
      error:
        'is not a keyspace: write embedded:DIRECTORY, redis://…, rediss://…, redis+sentinel://host1,host2/name or redis+cluster://host1,host2',
    })
    .default('embedded:data')
    .meta({ description: '`embedded:DIRECTORY` for one node that keeps its data itself, or the URL of a Redis.' }),
  password: secret({ description: 'Password of Redis; better here than in the URL.' }),
  passwordFile: secretFile('password'),
  durability: choice(['process', 'power'], 'process', {
    description:
      'What an acknowledged change survives: the death of the process, or of the whole machine (slower). Embedded only.',
  }),
  connectTimeoutSeconds: seconds(5, { description: 'Time to connect to Redis.' }),
  commandTimeoutSeconds: seconds(5, { description: 'Time for one command; then the keyspace counts as away.' }),
  journalSweepSeconds: seconds(60, {
    max: 3600,
    description:
      'Within this time all journals are compared with what became of their stanzas. What is missing is told after two of them.',
  }),
  replicas: count(0, {
    min: 0,
    max: MOST_REPLICAS,
    description:
      'Nothing is acknowledged before so many replicas of Redis have it, too. Slower, and nothing is taken while there are fewer. In a Redis Cluster, of each of its servers.',
  }),
});

const cluster = section('What the nodes of one cluster share.', {
  secret: secret({
    min: 32,
    description:
      'At least 32 random characters, the same on every node. Required with Redis; an embedded node makes its own.',
  }),
  secretFile: secretFile('secret'),
  name: z
    .string()
    .max(63)
    .default('')
    .meta({ description: 'What this node is called, in logs and metrics. Empty: the name of the machine and more.' }),
  heartbeatMilliseconds: milliseconds(1000, { description: 'How often a node shows the others that it is there.' }),
  leaseMilliseconds: milliseconds(10_000, {
    description: 'Time after which a node that shows nothing is given up: others take over the sessions that it had.',
  }),
  absentMilliseconds: milliseconds(3000, {
    description: 'The same, where Redis knows for sure that the connection of the node is gone.',
  }),
});

const authentication = section('How users log in.', {
  accounts: accountSources.default([INTERNAL]).meta({
    description:
      'Where accounts come from, asked in this order: `internal` for those that the server keeps itself, or names of `directories`.',
  }),
  mechanisms: mechanisms.default(['SCRAM-SHA-512', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN']).meta({
    live,
    description:
      'SASL mechanisms offered, best first. Forms with channel binding (-PLUS) come with theirs. OAUTHBEARER needs `identityProviders`, EXTERNAL client certificates, GSSAPI a keytab; ANONYMOUS lets anybody in.',
  }),
  kerberos,
  iterations: count(10_000, {
    live,
    min: 4096, // RFC 7677 §4
    max: 1_000_000,
    description: 'SCRAM iterations for passwords set from now on.',
  }),
  plainWithoutTls: flag(false, {
    live,
    description: 'Accept PLAIN on a connection that is not encrypted: passwords can be read on the way.',
  }),
  legacy: flag(false, {
    live,
    description:
      'Offer the obsolete jabber:iq:auth (XEP-0078) for very old clients: over TLS only, and in domains that have PLAIN among their mechanisms.',
  }),
  clients,
});

const registration = section('In-band registration (XEP-0077).', {
  inBand: flag(false, { live, description: 'Let strangers make accounts for themselves.' }),
  passwordChange: flag(true, { live, description: 'Let users change their own password.' }),
});

const log = section('The log, on standard output.', {
  level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'info', {
    live,
    description: 'The least important level written. `trace` writes what users say: for a test machine only.',
  }),
  pretty: flag(false, { description: 'Lines for eyes instead of one JSON object a line.' }),
});

const http = section('The HTTP port.', {
  maxBodyBytes: bytes(65_536, { metric: 'http-body-bytes', description: 'Size of a request’s body.' }),
  requestTimeoutSeconds: seconds(10, { description: 'Time for a request to arrive whole.' }),
  allowedHosts: z.array(z.string().min(1).max(255)).max(1000).default([]).meta({
    description:
      'Host names that requests may use beside localhost and IP addresses. Others are refused, so that a foreign web page cannot reach this port by a name of its own.',
  }),
});

const admin = section('Local administration by the `parley` command.', {
  socket: z.string().min(1).max(100).default('data/parley.sock').meta({
    path: true,
    description: 'Path of the Unix socket; only the user that runs the node can open it.',
  }),
});

const drain = section('Going down in order.', {
  seconds: seconds(60, {
    live,
    min: 0,
    max: 3600,
    description:
      'The longest time that the node waits, when it stops, for clients to close their streams and for what it has begun.',
  }),
  sessionsPerSecond: count(500, {
    live,
    description:
      'How many sessions go to the other nodes in a second, when this one stops or is drained: those have to take them in. More, where they would not all be gone in `seconds` otherwise.',
  }),
  now: flag(false, {
    live,
    description:
      'Take this node out: it says that it is not ready, so that load balancers send nobody new. Who is connected stays.',
  }),
});

/** What a module brings into the configuration, under `modules.<name>`. */
export interface ModuleSettings {
  name: string;
  description?: string;
  /** Whether it is on where the operator says nothing; true when left out. */
  enabled?: boolean;
  /** Its own options, each with a default and a description. */
  schema?: z.ZodObject;
}

/** The options of a module as its schema gives them, and whether it is on. */
export type ModuleConfiguration = { enabled: boolean } & Record<string, unknown>;

const moduleSchema = ({ enabled = true, description = '', schema }: ModuleSettings) =>
  z
    .preprocess(
      (value) => (typeof value === 'boolean' ? { enabled: value } : value),
      z.strictObject({
        enabled: flag(enabled, { description: 'Whether the module is on.' }),
        ...schema?.shape,
      }) as unknown as z.ZodType<ModuleConfiguration>,
    )
    .prefault({})
    .meta({ description, shorthand: 'enabled' });

const modulesSchema = (modules: readonly ModuleSettings[]) =>
  z
    .strictObject(Object.fromEntries(modules.map((settings) => [settings.name, moduleSchema(settings)])))
    .prefault({})
    .meta({ description: 'Extensions: switch one off with `name: false`, or give its options.' });

const sections = (modules: readonly ModuleSettings[]) =>
  z.strictObject({
    domains,
    listen,
    components,
    proxyProtocol,
    federation,
    tls,
    keyspace,
    cluster,
    authentication,
    directories,
    identityProviders,
    registration,
    stream,
    limits,
    roster,
    offline,
    modules: modulesSchema(modules),
    admins: z.array(account).max(1000).prefault([]).meta({
      live,
      description: 'Bare addresses of the accounts that administer the server.',
    }),
    adminGroups: z.array(z.string().min(1).max(1024)).max(100).default([]).meta({
      live,
      description:
        'Groups of directories whose members administer the server, too: names, with `directory/` in front where several directories have groups, or where the name has a slash.',
    }),
    contact,
    log,
    audit,
    http,
    admin,
    drain,
    snmp,
    opentelemetry,
  });

/** The whole configuration, checked, with every default filled in. Switched-off limits are Infinity. */
export type Configuration = z.infer<ReturnType<typeof sections>>;

type Loose<T> = { [Key in keyof T]?: T[Key] | undefined };

/** A check across sections; it runs on whatever the sections have left, so that all problems come at once. */
const across = (problems: (value: Loose<Configuration>) => readonly DirectoryProblem[]) => {
  const check = new z.core.$ZodCheck({ check: 'custom', when: () => true } as z.core.$ZodCheckDef);
  check._zod.check = ({ value, issues }) => {
    for (const { path, message } of problems(sound(value, issues) as Loose<Configuration>)) {
      issues.push({ code: 'custom', path, message, input: value });
    }
  };
  return check;
};

const rule = (path: string, message: string, holds: (value: Loose<Configuration>) => boolean) =>
  across((value) => (holds(value) ? [] : [{ path: path.split('.'), message }]));

/** The schema of the whole configuration, with the options of these modules. */
export const configurationSchema = (modules: readonly ModuleSettings[] = []) =>
  sections(modules).check(
    rule(
      'cluster.secret',
      'is missing: nodes on Redis need at least 32 random characters here, or a `secretFile` that holds them',
      ({ keyspace, cluster }) => !/^redis/.test(keyspace?.url ?? '') || !cluster || cluster.secret !== undefined,
    ),
    rule(
      'proxyProtocol.trustedNetworks',
      'is empty: a listener with `proxyProtocol` needs the addresses of the load balancers, and would cut everybody',
      ({ listen, proxyProtocol }) =>
        proxyProtocol?.trustedNetworks?.length !== 0 ||
        ![...(listen?.c2s ?? []), ...(listen?.c2sTls ?? [])].some((each) => each.proxyProtocol),
    ),
    rule(
      'tls.clientAuthorities',
      'is missing: EXTERNAL needs a file with the certificates of those who vouch for users',
      (config) => !config.tls || config.tls.clientAuthorities !== undefined || !namesMechanism(config, 'EXTERNAL'),
    ),
    rule(
      'authentication.kerberos.keytab',
      'is missing: GSSAPI needs a file with the keys of xmpp/HOST@REALM',
      (config) => config.authentication?.kerberos?.keytab !== undefined || !namesMechanism(config, 'GSSAPI'),
    ),
    rule(
      'tls.clientRevocations',
      'is of no use without `clientAuthorities`: name those who vouch for users, too',
      ({ tls }) => tls?.clientRevocations === undefined || tls.clientAuthorities !== undefined,
    ),
    rule(
      'limits.output.maxBytes',
      'is less than one stanza: write at least `stream.afterAuthentication.maxStanzaBytes`',
      ({ limits, stream }) =>
        (limits?.output?.maxBytes ?? Infinity) >= (stream?.afterAuthentication?.maxStanzaBytes ?? 0),
    ),
    across(listenProblems),
    across(directoryProblems),
    across(identityProviderProblems),
    across(componentProblems),
    across(peerProofProblems),
  );

/** The configuration that an empty file gives. */
export const defaultConfiguration = (modules: readonly ModuleSettings[] = []): Configuration =>
  configurationSchema(modules).parse({});
