import { catalogue } from '@parley/metrics/catalogue';
import type { ClusterState } from '../cluster/cluster-state.ts';
import type { Table } from './definition.ts';
import { type NamedRow, namedColumn, namedRows, nameIndex } from './named-rows.ts';

const column = (
  name: string,
  definition: Parameters<typeof namedColumn>[1],
  units: string,
  filter: Parameters<typeof namedColumn>[4] = {},
) => namedColumn(name, definition, 'peer', units, filter);

const PROVED = ['certificate', 'dane', 'posh', 'dialback'];

export const peerTable: Table<ClusterState, NamedRow> = {
  name: 'xmppPeer',
  description:
    'Domains of other servers: those that the configuration names, and a bounded number of those that have proved who they are. The row named other has all others together.',
  index: [nameIndex('xmppPeerName', 'The domain, or other.')],
  implied: true,
  rows: (state) =>
    namedRows(state, 'peer', [
      catalogue.peerStreams,
      catalogue.peerStanzas,
      catalogue.peerProofs,
      catalogue.peerFailures,
      catalogue.peerWaiting,
    ]),
  columns: [
    column('xmppPeerStreamsIn', catalogue.peerStreams, 'streams', {
      filter: { direction: 'in' },
      description: 'Streams on which it is heard.',
    }),
    column('xmppPeerStreamsOut', catalogue.peerStreams, 'streams', {
      filter: { direction: 'out' },
      description: 'Streams on which it is spoken to.',
    }),
    column('xmppPeerStanzasIn', catalogue.peerStanzas, 'stanzas', {
      filter: { direction: 'in' },
      description: 'Stanzas taken from it.',
    }),
    column('xmppPeerStanzasOut', catalogue.peerStanzas, 'stanzas', {
      filter: { direction: 'out' },
      description: 'Stanzas taken for it.',
    }),
    column('xmppPeerStanzasWaiting', catalogue.peerWaiting, 'stanzas'),
    column('xmppPeerProofs', catalogue.peerProofs, 'proofs', {
      filter: { proof: PROVED },
      description: 'How often it has proved who it is, on streams of either direction.',
    }),
    column('xmppPeerRefusals', catalogue.peerProofs, 'proofs', {
      filter: { proof: 'refused' },
      description: 'How often what it had to prove that with was not good enough.',
    }),
    column('xmppPeerFailures', catalogue.peerFailures, 'attempts'),
  ],
};
