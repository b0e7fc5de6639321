import { counter, gauge } from './definition.ts';

/** How other servers prove who they are, and that they do not. */
export const PROOFS = ['certificate', 'dane', 'posh', 'dialback', 'refused'] as const;

/**
 * What there is to know about single other servers: those that the configuration names, and a bounded number of those that
 * have proved who they are. All others together are `other`.
 */
export const peerMetrics = {
  peerStreams: gauge({
    name: 'xmpp.federation.peer.streams',
    unit: '{stream}',
    help: 'Streams on which a domain of another server is heard (in), or spoken to (out).',
    labels: { peer: 'open', direction: ['in', 'out'] },
    combine: 'sum',
  }),
  peerStanzas: counter({
    name: 'xmpp.federation.peer.stanzas',
    unit: '{stanza}',
    help: 'Stanzas taken from (in) a domain of another server, and taken for it (out).',
    labels: { peer: 'open', direction: ['in', 'out'] },
  }),
  peerProofs: counter({
    name: 'xmpp.federation.peer.proofs',
    unit: '{proof}',
    help: 'How a domain of another server has proved who it is, as in xmpp.federation.proofs.',
    labels: { peer: 'open', direction: ['in', 'out'], proof: PROOFS },
  }),
  peerFailures: counter({
    name: 'xmpp.federation.peer.failures',
    unit: '{attempt}',
    help: 'Attempts to reach a domain of another server that came to nothing.',
    labels: { peer: 'open' },
  }),
  peerWaiting: gauge({
    name: 'xmpp.federation.peer.waiting',
    unit: '{stanza}',
    help: 'Stanzas that wait for a stream to a domain of another server.',
    labels: { peer: 'open' },
    combine: 'sum',
  }),
} as const;
