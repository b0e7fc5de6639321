import * as z from 'zod';
import { network } from './listen.ts';
import { bytes, count, limit, milliseconds, percent, seconds, section } from './option.ts';

const live = true;

/** What one XML stream may send and how long it may take for it. */
export const stream = section('One XML stream: what the parser accepts, and how long each step may take.', {
  beforeAuthentication: section('Until the peer has authenticated.', {
    maxElementBytes: bytes(10_000, {
      metric: 'element-bytes-before-authentication',
      live,
      min: 4096,
      description: 'Size of one first-level element, counted before the parser sees it.',
    }),
    maxElements: count(32, {
      live,
      metric: 'elements-before-authentication',
      description: 'Elements within one first-level element, itself included.',
    }),
    maxDepth: count(8, {
      live,
      metric: 'depth-before-authentication',
      max: 64,
      description: 'Depth of nesting within one first-level element.',
    }),
    maxAttributes: count(16, {
      live,
      metric: 'attributes-before-authentication',
      description: 'Attributes of one element, namespace declarations included.',
    }),
  }),
  afterAuthentication: section('From the moment the peer has authenticated.', {
    maxStanzaBytes: bytes(262_144, {
      metric: 'stanza-bytes',
      live,
      min: 10_000, // RFC 6120 §13.12
      max: 16_777_216,
      description: 'Size of one stanza, counted before the parser sees it; clients are told (XEP-0478).',
    }),
    maxElements: count(10_000, {
      live,
      metric: 'elements',
      max: 100_000,
      description: 'Elements within one stanza, itself included.',
    }),
    maxDepth: count(64, { live, metric: 'depth', max: 256, description: 'Depth of nesting within one stanza.' }),
    maxAttributes: count(256, {
      live,
      metric: 'attributes',
      description: 'Attributes of one element, namespace declarations included.',
    }),
  }),
  maxNameBytes: bytes(1024, {
    metric: 'name-bytes',
    live,
    max: 65_536,
    description: 'Length of an element or attribute name or a namespace.',
  }),
  handshakeTimeoutSeconds: seconds(15, {
    live,
    metric: 'handshake-time',
    description: 'Time for a TLS handshake; traffic does not extend it.',
  }),
  authenticateTimeoutSeconds: seconds(30, {
    metric: 'authenticate-time',
    live,
    description:
      'Time from connecting to having authenticated, without that in which it waits for its turn; traffic does not extend it.',
  }),
  bindTimeoutSeconds: seconds(30, {
    metric: 'bind-time',
    live,
    description:
      'Time from having authenticated to having bound a resource, without that in which it waits for its turn; traffic does not extend it.',
  }),
  closeTimeoutSeconds: seconds(5, {
    metric: 'close-time',
    live,
    description: 'Time to wait for the peer to close its side after the stream was closed (RFC 6120 §4.4).',
  }),
});

/** How much of the node one address, one account or one connection may use. */
export const limits = section('How much of the node one address, account or connection may use.', {
  connections: section('Connections, counted by IPv4 address or IPv6 /64 network before any TLS.', {
    perAddress: limit(200, {
      live,
      metric: 'connections-per-address',
      description: 'Connections of one address at the same time.',
    }),
    unauthenticatedPerAddress: limit(30, {
      metric: 'unauthenticated-per-address',
      live,
      description: 'Connections of one address that have not authenticated yet.',
    }),
    newPerAddressPerMinute: limit(120, {
      live,
      metric: 'new-connections-per-address',
      description: 'New connections of one address in a minute.',
    }),
    unauthenticatedPercent: percent(25, {
      metric: 'unauthenticated-total',
      live,
      description:
        'Share of the descriptors of the process that unauthenticated connections may use together; beyond it the oldest is closed.',
    }),
    trustedNetworks: z
      .array(network)
      .max(1000)
      .default([])
      .meta({ live, description: 'Networks that the limits by address do not apply to.' }),
  }),
  logins: section('Logins, and those that failed.', {
    perSecond: limit(200, {
      live,
      metric: 'logins-rate',
      description:
        'Attempts to log in that the node begins in a second, fewer while it is busy; others wait for their turn, so that nobody else feels it when thousands come at once.',
    }),
    maxWaitSeconds: seconds(10, {
      live,
      max: 600,
      description:
        'Whoever would wait longer for this turn, if the node had time for all, is sent away, to come again later.',
    }),
    failuresPerStream: count(5, {
      live,
      metric: 'login-failures-per-stream',
      description: 'Failed logins on one stream; then it is closed.',
    }),
    failuresPerAddress: limit(20, {
      live,
      metric: 'login-failures-per-address',
      description: 'Failed logins of one address within the window.',
    }),
    failuresPerAccountAndAddress: limit(10, {
      metric: 'login-failures-per-account-and-address',
      live,
      description:
        'Failed logins to one account from one address within the window. There is no limit by account alone: it would let strangers lock out the owner.',
    }),
    windowSeconds: seconds(600, { live, description: 'The window in which failed logins are counted.' }),
    delaySeconds: seconds(1, {
      live,
      min: 0,
      max: 30,
      description: 'Delay of the answer to the first failed login; it doubles with each further one.',
    }),
    maxDelaySeconds: seconds(8, { live, min: 0, max: 30, description: 'The longest delay of such an answer.' }),
  }),
  resumptions: section('Sessions that are resumed (XEP-0198).', {
    perSecond: limit(400, {
      live,
      metric: 'resumptions-rate',
      description:
        'Sessions that the node begins to resume in a second, fewer while it is busy; others wait for their turn, ahead of logins.',
    }),
    maxWaitSeconds: seconds(10, {
      live,
      max: 600,
      description:
        'Whoever would wait longer for this turn, if the node had time for all, is sent away, to come again later; the session is kept.',
    }),
  }),
  registration: section('Accounts and passwords, in-band (XEP-0077).', {
    attemptsPerHour: limit(10, {
      live,
      metric: 'registrations-per-address',
      description: 'Attempts of one address to make an account in an hour.',
    }),
    passwordChangesPerHour: limit(10, {
      live,
      metric: 'password-changes',
      description: 'Changes of the password of one account in an hour.',
    }),
  }),
  sessions: section('Bound sessions.', {
    perAccount: limit(20, {
      live,
      metric: 'sessions-per-account',
      description: 'Sessions of one account at the same time.',
    }),
  }),
  bytes: section(
    'Bytes received on one connection; reading pauses while they are used up. Administrators are exempt.',
    {
      perSecond: limit(32_000, { live, metric: 'bytes-rate', description: 'Bytes a second.' }, 'B'),
      burst: limit(512_000, { live, description: 'Bytes that may come at once.' }, 'B'),
    },
  ),
  stanzas: section('Stanzas received in one session.', {
    perSecond: limit(50, {
      live,
      metric: 'stanzas-rate',
      description: 'Stanzas a second; reading pauses while they are used up.',
    }),
    burst: limit(500, { live, description: 'Stanzas that may come at once.' }),
    strangersPerHour: limit(60, {
      metric: 'strangers',
      live,
      description: 'Different addresses outside its roster that one account may write to in an hour.',
    }),
  }),
  output: section('What waits to be written to one connection; a reader that is slower loses its connection.', {
    maxBytes: limit(2_097_152, { live, metric: 'output-bytes', description: 'Bytes that wait.' }, 'B'),
    maxStanzas: limit(1000, { live, metric: 'output-stanzas', description: 'Stanzas that wait.' }),
    stalledSeconds: seconds(60, {
      live,
      metric: 'output-stalled',
      description: 'Time without any progress while something waits.',
    }),
  }),
  unacknowledged: section('What a client has not acknowledged yet (XEP-0198); beyond it the session ends.', {
    maxStanzas: limit(1000, {
      metric: 'unacknowledged-stanzas',
      live,
      description: 'Stanzas that wait for the acknowledgement of one client.',
    }),
    maxBytes: limit(
      4_194_304,
      { metric: 'unacknowledged-bytes', live, description: 'Size of these stanzas together.' },
      'B',
    ),
    detachedPerAccount: limit(10, {
      metric: 'detached-sessions',
      live,
      description: 'Sessions of one account that wait for their clients; one more ends the oldest.',
    }),
  }),
  presence: section('Presence.', {
    directedTargets: limit(500, {
      metric: 'directed-presence',
      live,
      description: 'Addresses that one session may have sent directed presence to (RFC 6121 §4.6).',
    }),
    maxBytes: bytes(16_384, {
      metric: 'presence-bytes',
      live,
      min: 10_000, // RFC 6120 §13.12
      max: 16_777_216,
      description: 'Size of a presence that goes to all contacts: it is sent to each of them and kept meanwhile.',
    }),
  }),
  iq: section('Requests that the server has sent to a client.', {
    pendingPerSession: limit(200, {
      live,
      metric: 'pending-iq',
      description: 'Requests to one session that wait for their answer.',
    }),
    timeoutSeconds: seconds(300, { live, metric: 'iq-time', description: 'Time to wait for an answer.' }),
  }),
  components: section('External components (XEP-0114).', {
    instances: limit(16, {
      live,
      metric: 'component-instances',
      description:
        'Instances of one component that may be connected at the same time, to all nodes together; they share the load.',
    }),
    perSecond: limit(2000, {
      live,
      metric: 'component-rate',
      description: 'Stanzas a second that one instance of a component may send; reading pauses while they are used up.',
    }),
    burst: limit(10_000, { live, description: 'Stanzas that may come from it at once.' }),
    queueStanzas: limit(20_000, {
      live,
      metric: 'component-queue-stanzas',
      description: 'Stanzas that wait for an instance that reads too slowly; further ones are answered with an error.',
    }),
    queueBytes: limit(
      16_777_216,
      { live, metric: 'component-queue-bytes', description: 'Size of these stanzas together.' },
      'B',
    ),
  }),
  process: section('When the process runs short, it refuses new connections, then closes unauthenticated ones.', {
    heapPercent: percent(60, { live, metric: 'heap', description: 'Share of the largest heap that may be in use.' }),
    eventLoopDelayMilliseconds: milliseconds(200, {
      metric: 'event-loop-delay',
      live,
      description: 'Delay of the event loop (99th percentile) from which on the node counts as overloaded.',
    }),
    reservedDescriptors: count(64, {
      metric: 'descriptors',
      live,
      min: 16,
      description: 'File descriptors kept for files, the keyspace and administration.',
    }),
  }),
});

export const roster = section('Rosters (RFC 6121 §2).', {
  maxItems: limit(2000, { live, metric: 'roster-items', description: 'Contacts that one account may keep.' }),
  maxGroupsPerItem: limit(32, { live, metric: 'roster-groups', description: 'Groups that one contact may be in.' }),
  maxSharedItems: limit(10_000, {
    live,
    metric: 'roster-shared-items',
    description: 'Contacts that groups of a directory may add to one roster; further ones are left out of it.',
  }),
  maxNameBytes: bytes(1023, {
    live,
    metric: 'roster-name-bytes',
    max: 65_536,
    description: 'Length of a contact’s or a group’s name.',
  }),
  maxRequests: limit(100, {
    live,
    metric: 'roster-requests',
    description: 'Subscription requests that wait for an answer of one account; further ones are dropped.',
  }),
  maxRequestBytes: bytes(4096, {
    live,
    max: 65_536,
    description: 'Size up to which such a request is kept whole; of a larger one only its addresses are kept.',
  }),
  versioning: z.boolean().default(true).meta({ live, description: 'Offer roster versioning (RFC 6121 §2.6).' }),
});

export const offline = section('Messages for accounts that are not online (XEP-0160).', {
  enabled: z.boolean().default(true).meta({ live, description: 'Store such messages; without, senders get an error.' }),
  maxMessages: limit(1000, {
    live,
    metric: 'offline-messages',
    description: 'Messages stored for one account; further ones are refused.',
  }),
  maxBytes: limit(
    4_194_304,
    { live, metric: 'offline-bytes', description: 'Bytes of messages stored for one account.' },
    'B',
  ),
});
