import { domainPart } from '@parley/xmpp/jid';
import * as z from 'zod';
import { bytes, choice, count, file, flag, limit, seconds, section } from './option.ts';
import { prepared } from './prepared.ts';

const live = true;

/** How a server may prove that it speaks for its domain. */
export const PEER_AUTHENTICATIONS = ['certificate', 'certificate-or-dialback'] as const;
export const PEER_TLS = ['none', 'TLSv1.2', 'TLSv1.3'] as const;
const STANZAS = ['message', 'presence', 'iq'] as const;

const stanzas = z.array(z.enum(STANZAS)).max(3);

const pattern = prepared('a domain', (text) =>
  text.startsWith('*.') ? `*.${domainPart(text.slice(2))}` : domainPart(text),
);

const address = z
  .string()
  .max(512)
  .regex(/^(?:\[[0-9A-Fa-f:.]+\]|[^\s/:?#[\]@]+):[0-9]{1,5}$/, {
    error: 'is no address: write host:port, or [address]:port of IPv6',
  });

/** One of a DNS server, as Node's resolver takes it. */
const dnsServer = z
  .string()
  .max(64)
  .regex(/^(?:[0-9.]+|\[[0-9A-Fa-f:.]+\]|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(?::[0-9]{1,5})?$/, {
    error: 'is no address of a DNS server: write 192.0.2.1, 192.0.2.1:53 or [2001:db8::1]:53',
  });

const webAddress = z.string().max(2048).refine(isWebAddress, 'is no address that begins with https://');

function isWebAddress(text: string): boolean {
  const url = URL.parse(text);
  return url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '';
}

const peer = z.strictObject({
  domain: pattern.meta({
    description:
      'The domain of the other side; `*.example.org` is every domain below example.org, but not itself. The longest that fits counts.',
  }),
  allow: flag(true, { description: 'Whether anything is said to it, or taken from it.' }),
  connectTo: address.optional().meta({
    description: 'Where to connect, as host:port, instead of what DNS says.',
  }),
  connectToTls: flag(false, { description: 'TLS from the first byte there (XEP-0368), not STARTTLS.' }),
  authentication: z.enum(PEER_AUTHENTICATIONS).optional().meta({
    description: 'How it proves who it is. Left out: as `default` says, and by its certificate where that is `deny`.',
  }),
  minTls: z.enum(PEER_TLS).optional().meta({ description: 'The oldest version of TLS, instead of `minTls` above.' }),
  authorities: file({
    description: 'Certificates (PEM) of the authorities that vouch for it, instead of `authorities` above.',
  }),
  revocations: file({
    description: 'Revocation lists (PEM) of these authorities, as `revocations` above is for those above.',
  }),
  dane: z.boolean().optional().meta({ description: 'Whether its TLSA records count, instead of `dane` above.' }),
  posh: z.boolean().optional().meta({ description: 'Whether its POSH file counts, instead of `posh` above.' }),
  poshUrl: webAddress.optional().meta({
    description:
      'Where its POSH file is, instead of https://DOMAIN/.well-known/posh/xmpp-server.json. It may be in a private network.',
  }),
  stanzas: stanzas.optional().meta({
    description: 'Kinds of stanzas that go to it and are taken from it. Left out: all. Others are refused.',
  }),
  maxStanzaBytes: z.number().int().min(10_000).max(16_777_216).optional().meta({
    description: 'Size of one stanza of its, instead of `limits.maxStanzaBytes`.',
  }),
  bytesPerSecond: z.number().int().min(1).optional().meta({
    description: 'Bytes a second taken from one of its streams, instead of `limits.bytesPerSecond`.',
  }),
  bidirectional: z.boolean().optional().meta({
    description:
      'Stanzas in both directions on one stream (XEP-0288), where the other side has that: true asks for it on streams to it, false refuses it on streams from it. Left out: as `bidirectional` above says.',
  }),
  shareStreams: z.boolean().optional().meta({ description: 'As `shareStreams` above, for it alone.' }),
  stripPresence: flag(false, {
    description: 'Presence that goes to it says only whether somebody is there: no status, no extensions.',
  }),
});

const timeouts = section('How long each step towards another server may take.', {
  dnsSeconds: seconds(10, { live, max: 60, description: 'Time for all that DNS is asked about one domain.' }),
  poshSeconds: seconds(10, { live, max: 60, description: 'Time to fetch a POSH file, with all that it leads to.' }),
  connectSeconds: seconds(10, {
    live,
    max: 120,
    description: 'Time to connect to one address; then the next is tried.',
  }),
  stepSeconds: seconds(15, {
    live,
    max: 120,
    description: 'Time for the other server to answer one step of the negotiation: header, features, TLS, proof.',
  }),
  negotiationSeconds: seconds(40, {
    live,
    max: 300,
    description: 'Time from connecting to being authenticated, in either direction; traffic does not extend it.',
  }),
  idleSeconds: seconds(600, { live, description: 'A stream on which no stanza has gone for so long is closed.' }),
  acknowledgeSeconds: seconds(60, {
    live,
    description:
      'Time for a server with stream management (XEP-0198) to acknowledge what it was sent; then the stream is given up, and all of it is sent again on the next.',
  }),
});

const queue = section('Stanzas that wait until another server can be reached, for each pair of domains.', {
  maxStanzas: count(1000, { live, metric: 'federation-queue-stanzas', description: 'Stanzas that wait.' }),
  maxBytes: bytes(2_097_152, { live, metric: 'federation-queue-bytes', description: 'Size of these together.' }),
  maxTotalBytes: bytes(67_108_864, {
    live,
    metric: 'federation-queues-bytes',
    description: 'Size of what waits for all domains together, on one node.',
  }),
  seconds: seconds(60, {
    live,
    max: 86_400,
    description: 'How long a stanza waits; then its sender is told remote-server-timeout, or why nobody is there.',
  }),
});

const retry = section(
  'When a server that could not be reached is tried again; nothing is tried that nobody waits for.',
  {
    firstSeconds: seconds(2, {
      live,
      max: 3600,
      description: 'After the first failure; it doubles with each further one.',
    }),
    maxSeconds: seconds(300, { live, max: 86_400, description: 'The longest time between two attempts.' }),
  },
);

const federationLimits = section('What one stream of another server may do, and how many there are of ours.', {
  maxStanzaBytes: bytes(524_288, {
    live,
    min: 10_000, // RFC 6120 §13.12
    max: 16_777_216,
    description: 'Size of one stanza; other servers are told (XEP-0478).',
  }),
  bytesPerSecond: limit(300_000, { live, description: 'Bytes a second; reading pauses while they are used up.' }, 'B'),
  bytesBurst: limit(2_000_000, { live, description: 'Bytes that may come at once.' }, 'B'),
  domainsPerStream: count(20, {
    live,
    max: 10_000,
    metric: 'federation-domains-per-stream',
    description:
      'Domains that may prove themselves on one stream; with `shareStreams`, pairs of domains on one of ours, too.',
  }),
  unverifiedPerStream: count(5, {
    live,
    max: 1000,
    description: 'Dialback keys of one stream that are being verified at the same time.',
  }),
  outgoing: count(2000, {
    live,
    max: 1_000_000,
    description: 'Streams to other servers at the same time; beyond it the one that has been idle longest is closed.',
  }),
  connecting: count(50, { live, max: 10_000, description: 'Of these, such that are being set up at the same time.' }),
});

const resumption = section('Streams of other servers that may go on when their connection was lost (XEP-0198).', {
  seconds: seconds(600, {
    live,
    min: 0,
    max: 86_400,
    description: 'Time within which a stream can be resumed, on any node. 0: none can be.',
  }),
  maxStreams: count(10_000, {
    live,
    metric: 'federation-resumable',
    description: 'Streams that one node remembers, open ones and others; those that come then cannot be resumed.',
  }),
  maxStreamsPerDomain: count(100, {
    live,
    metric: 'federation-resumable-domain',
    description: 'Of these, such of one domain.',
  }),
});

/** Whom this server talks to, and how. */
export const federation = section('Other XMPP servers (RFC 6120, XEP-0220). Off unless `enabled` says otherwise.', {
  enabled: flag(false, { description: 'Talk to other servers, and listen on `listen.s2s` and `listen.s2sTls`.' }),
  hideAccounts: flag(false, {
    live,
    description:
      'Ignore messages from there to addresses that nobody has, as if they were stored, so that nobody finds out who is here by trying. Off, they are refused: whoever mistypes an address is told.',
  }),
  default: choice([...PEER_AUTHENTICATIONS, 'deny'], 'certificate', {
    live,
    description:
      'What holds for domains that `peers` does not name: `certificate` asks each for a certificate of its domain that `authorities` vouch for; `certificate-or-dialback` trusts DNS, too, where there is none; `deny` closes the server to all of them.',
  }),
  minTls: choice(PEER_TLS, 'TLSv1.2', {
    live,
    description:
      'The oldest version of TLS with other servers. `none` allows connections that are not encrypted: anybody on the way can read and change what is said.',
  }),
  authorities: file({
    live,
    description:
      'Certificates (PEM) of the authorities that vouch for other servers. Without it: those that the machine trusts.',
  }),
  bidirectional: flag(true, {
    live,
    description:
      'Stanzas go out on a stream that another server has begun, where that asks for it (XEP-0288) and there is none of our own.',
  }),
  shareStreams: flag(false, {
    live,
    description:
      'One stream for all domains of ours, and all domains of theirs, that are on the same servers (XEP-0220, multiplexing), where the other side can refuse one of them without ending the stream and its certificate stands for all. Otherwise each pair of domains has a stream of its own. Such streams are not resumed.',
  }),
  revocations: file({
    live,
    description:
      'Revocation lists (PEM) of `authorities` and of all between them and a server, one behind the other: a certificate that is on its list, or whose list is missing or out of date, proves nothing. The file is read again when it changes.',
  }),
  dnsServers: z
    .array(dnsServer)
    .max(8)
    .default([])
    .meta({ live, description: 'DNS servers to ask about other servers. Empty: those of the machine.' }),
  dane: flag(false, {
    live,
    description:
      'Believe TLSA records (DANE, RFC 7673), where DNSSEC secures them: whoever has some proves itself by a certificate that they name, and by no other. Needs `dnssec.servers`.',
  }),
  dnssec: section('DNS servers that check the signatures of DNSSEC, for `dane`.', {
    servers: z.array(dnsServer).max(8).default([]).meta({
      live,
      description:
        'Their addresses, which are on this machine: they are believed when they say that an answer is secure. Whoever has `dane` is looked up there and nowhere else.',
    }),
    trustNetwork: flag(false, {
      live,
      description:
        'Take servers on other machines, too: nobody between them and this one can change what they say, as in a network of its own.',
    }),
  }),
  posh: flag(false, {
    live,
    description:
      'Believe POSH files (RFC 7711): whose certificate proves nothing by itself may name it on the web server of its domain. For each such domain this asks a web server that the domain names.',
  }),
  peers: z
    .array(peer)
    .max(10_000)
    .refine(
      (list) => new Set(list.map(({ domain }) => domain)).size === list.length,
      'names a domain twice: name each once',
    )
    .prefault([])
    .meta({ live, description: 'What holds for particular domains, before anything else is done about them.' }),
  timeouts,
  queue,
  retry,
  resumption,
  limits: federationLimits,
});

export type FederationConfiguration = z.infer<typeof federation>;
export type PeerConfiguration = z.infer<typeof peer>;
