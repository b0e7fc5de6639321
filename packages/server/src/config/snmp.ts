import * as z from 'zod';
import { addresses } from './listen.ts';
import { choice, count, flag, limit, seconds, secret, secretFile, section } from './option.ts';

/** The enterprise number that RFC 5612 keeps for documentation. */
const DOCUMENTATION_ARC = '1.3.6.1.4.1.32473';

const oid = z
  .string()
  .max(512)
  .regex(/^\.?[0-2](?:\.\d{1,10}){1,127}$/, {
    error: 'is no object identifier: write numbers with dots, such as 1.3.6.1.4.1.32473',
  });

const view = z.array(oid).min(1).max(64).optional().meta({
  description: 'Subtrees of object identifiers that may be read. Left out: everything.',
});

const source = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], {
  error: 'is neither an address nor a network: write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32',
});

const name = z.string().min(1).max(32);
const LEAST_PASSWORD = 8; // RFC 3414 §11.2
const LEAST_COMMUNITY = 16;

const user = z.strictObject({
  name: name.meta({ description: 'The name that it asks with.' }),
  authentication: choice(['SHA-256', 'SHA-512', 'SHA-384', 'SHA-224', 'SHA'], 'SHA-256', {
    description: 'How its messages are authenticated; SHA (SHA-1) is for old managers.',
  }),
  password: secret({ min: LEAST_PASSWORD, description: 'The password of authentication.' }),
  passwordFile: secretFile('password'),
  privacy: choice(['AES', 'AES-256'], 'AES', { description: 'How its messages are encrypted.' }),
  privacyPassword: secret({ min: LEAST_PASSWORD, description: 'The password of encryption.' }),
  privacyPasswordFile: secretFile('privacyPassword'),
  view,
});

const community = z.strictObject({
  community: secret({
    min: LEAST_COMMUNITY,
    description: 'The word, at least 16 characters: whoever listens on the way can read it.',
  }),
  communityFile: secretFile('community'),
  sources: z.array(source).min(1).max(1000).meta({ description: 'Addresses and networks that may ask with it.' }),
  view,
});

const target = z.strictObject({
  host: z.string().min(1).max(255).meta({ description: 'The manager that notifications go to.' }),
  port: z.number().int().min(1).max(65_535).default(162).meta({ description: 'Its UDP port.' }),
  user: name.optional().meta({ description: 'One of `users`: SNMPv3. Either this or `community`.' }),
  community: secret({ min: LEAST_COMMUNITY, description: 'The word of SNMPv2c.' }),
  communityFile: secretFile('community'),
  inform: flag(false, {
    description: 'Wait for the manager to acknowledge each, and send it again where it does not.',
  }),
});

export const snmp = section('The SNMP agent, which is a process of its own: `parley snmp`.', {
  host: z.string().min(1).max(255).default('127.0.0.1').meta({
    description: 'The interface on which it answers.',
  }),
  port: z.number().int().min(0).max(65_535).default(1161).meta({
    description: 'The UDP port on which it answers; the usual 161 is for root alone.',
  }),
  agentx: z.string().max(255).default('').meta({
    description:
      'Be a subagent (AgentX, RFC 2741) of the SNMP agent of the machine instead: the path of its socket, or host:port. Empty: answer managers itself.',
  }),
  metrics: addresses([], 'Where it shows `/metrics` of all nodes together to Prometheus.'),
  baseOid: oid.default(DOCUMENTATION_ARC).meta({
    description:
      'The arc of your organisation below which the objects of XMPP-SERVER-MIB lie. The default is for documentation: get a number of your own, which costs nothing (IANA, Private Enterprise Number).',
  }),
  users: z
    .array(user)
    .max(100)
    .default([])
    .meta({ description: 'Who may ask by SNMPv3, with authentication and encryption.' }),
  communities: z.array(community).max(100).default([]).meta({
    description: 'Who may ask by SNMPv2c, which has neither.',
  }),
  targets: z.array(target).max(32).default([]).meta({ description: 'Where notifications go.' }),
  associations: choice(['none', 's2s', 'all'], 's2s', {
    description:
      'Streams that assocTable shows: those with other servers and components, those of clients with their addresses too, or none.',
  }),
  mostAssociations: count(10_000, { max: 100_000, description: 'Streams of one node that it shows at most.' }),
  agent: z.string().min(1).max(63).default('main').meta({
    description: 'What this agent is called. Several at the same time, on one Redis, need a name each.',
  }),
  name: z.string().max(255).default('').meta({ description: 'What the cluster is called. Empty: the first domain.' }),
  description: z.string().max(255).default('XMPP instant messaging and presence').meta({
    description: 'What it is, for people (applDescription).',
  }),
  url: z.string().max(255).default('').meta({ description: 'Where it is described, or administered (applURL).' }),
  directoryName: z.string().max(255).default('').meta({
    description: 'The distinguished name of its entry in a directory (applDirectoryName).',
  }),
  contact: z.string().max(255).default('').meta({ description: 'Whom to call (sysContact).' }),
  location: z.string().max(255).default('').meta({ description: 'Where the machine is (sysLocation).' }),
  downSeconds: seconds(15, { min: 6, description: 'A node that was not heard for so long is down.' }),
  restartSeconds: seconds(120, {
    description: 'A node that has stopped in order is restarting for so long, then forgotten.',
  }),
  forgetSeconds: seconds(3600, { description: 'A node that is down is shown for so long.' }),
  requestsPerSecond: count(1000, { description: 'Datagrams that are read from one address in a second.' }),
  loginFailuresPerMinute: limit(100, { description: 'More failed logins on a node in a minute are notified.' }),
  certificateDays: count(14, { description: 'A certificate that ends in fewer days is notified.' }),
  waitingStanzas: limit(10_000, { description: 'More stanzas that wait on a node are notified.' }),
}).superRefine(({ targets = [], users = [] }, context) => {
  for (const [index, { user, community, communityFile }] of targets.entries()) {
    const path = ['targets', index];
    const word = community ?? communityFile;
    if ((user === undefined) === (word === undefined)) {
      context.addIssue({ code: 'custom', path, message: 'needs either `user` or `community`' });
    } else if (user !== undefined && !users.some((each) => each.name === user)) {
      context.addIssue({ code: 'custom', path: [...path, 'user'], message: 'is none of `snmp.users`' });
    }
  }
});
