import { STANZA_CONDITIONS } from './conditions.ts';
import { counter, gauge } from './definition.ts';
import { PROOFS } from './peer-metrics.ts';

/** What there is to know about streams between this server and others. */
export const federationMetrics = {
  federationStreams: gauge({
    name: 'xmpp.federation.streams',
    unit: '{stream}',
    help: 'Streams from (in) and to (out) other servers.',
    labels: { direction: ['in', 'out'], state: ['negotiating', 'open'] },
    combine: 'sum',
  }),
  federationAttempts: counter({
    name: 'xmpp.federation.attempts',
    unit: '{attempt}',
    help: 'Attempts to reach another server, by the step at which they ended; those that came to a stream are connected.',
    labels: {
      outcome: ['connected', 'policy', 'dns', 'connection', 'header', 'features', 'tls', 'certificate', 'proof'],
    },
  }),
  federationProofs: counter({
    name: 'xmpp.federation.proofs',
    unit: '{proof}',
    help: 'How other servers have proved who they are: by a certificate that an authority vouches for, one that secure DNS names (dane), or one that their web server names (posh); of streams to them, dialback means that DNS alone says so.',
    labels: { direction: ['in', 'out'], proof: PROOFS },
  }),
  federationResumptions: counter({
    name: 'xmpp.federation.resumptions',
    unit: '{attempt}',
    help: 'Attempts of other servers (in), and at other servers (out), to go on with a stream that was lost.',
    labels: { direction: ['in', 'out'], outcome: ['resumed', 'failed'] },
  }),
  federationRemembered: gauge({
    name: 'xmpp.federation.remembered',
    unit: '{stream}',
    help: 'Streams of other servers, open ones and others, that can be resumed.',
    combine: 'sum',
  }),
  federationStanzas: counter({
    name: 'xmpp.federation.stanzas',
    unit: '{stanza}',
    help: 'Stanzas taken from (in) other servers, and taken for them (out).',
    labels: { kind: ['message', 'presence', 'iq'], direction: ['in', 'out'] },
  }),
  federationWaiting: gauge({
    name: 'xmpp.federation.waiting',
    unit: '{stanza}',
    help: 'Stanzas that wait for a stream to another server.',
    combine: 'sum',
  }),
  federationWaitingBytes: gauge({
    name: 'xmpp.federation.queue',
    unit: 'By',
    help: 'Size of these stanzas.',
    combine: 'sum',
  }),
  federationReturned: counter({
    name: 'xmpp.federation.returned',
    unit: '{stanza}',
    help: 'Stanzas that did not reach another server in their time, by what their senders were told.',
    labels: { condition: STANZA_CONDITIONS },
  }),
} as const;
