import { catalogue } from '@parley/metrics/catalogue';
import { seriesOf, seriesSum } from '@parley/metrics/series-sum';
import type { ClusterState } from '../cluster/cluster-state.ts';
import { integer } from '../protocol/value.ts';
import { enumeration, type Table } from './definition.ts';
import { type NamedRow, namedColumn, namedRows, nameIndex } from './named-rows.ts';

const KEPT = { kept: 1, unkept: 2 } as const;

export const domainTable: Table<ClusterState, NamedRow> = {
  name: 'xmppDomain',
  description: 'One row for each domain that is served.',
  index: [nameIndex('xmppDomainName', 'The domain.')],
  implied: true,
  rows: (state) =>
    namedRows(state, 'domain', [catalogue.certificateDays, catalogue.domainSessions, catalogue.domainStanzas]),
  columns: [
    {
      name: 'xmppDomainCertificateDays',
      syntax: { text: 'Integer32', type: 'Integer32' },
      units: 'days',
      description: catalogue.certificateDays.help,
      value: ({ name: domain, metrics }) => {
        const [days] = seriesOf(metrics, catalogue.certificateDays, { domain });
        return days && integer(Math.floor(Number(days.series)));
      },
    },
    namedColumn('xmppDomainSessions', catalogue.domainSessions, 'domain', 'sessions'),
    namedColumn('xmppDomainStanzasIn', catalogue.domainStanzas, 'domain', 'stanzas', {
      filter: { direction: 'in' },
      description: 'Stanzas received from sessions of the domain.',
    }),
    namedColumn('xmppDomainStanzasOut', catalogue.domainStanzas, 'domain', 'stanzas', {
      filter: { direction: 'out' },
      description: 'Stanzas written to sessions of the domain.',
    }),
    {
      name: 'xmppDomainReplicas',
      syntax: enumeration(KEPT),
      description:
        'Of a domain that waits for replicas of Redis of its own: whether enough of them are there, so that what belongs to it can be kept. Other domains do not have this.',
      value: ({ name: domain, metrics }) => {
        const [known] = seriesOf(metrics, catalogue.keyspaceDomainState, { domain });
        return known && integer(seriesSum(metrics, catalogue.keyspaceDomainState, { domain }) === 0 ? 2 : 1);
      },
    },
  ],
};

export const providerTable: Table<ClusterState, NamedRow> = {
  name: 'xmppProvider',
  description: 'One row for each identity provider by whose tokens people log in.',
  index: [nameIndex('xmppProviderName', 'The name of the identity provider in the configuration.')],
  implied: true,
  rows: (state) => namedRows(state, 'provider', [catalogue.providersAway]),
  columns: [namedColumn('xmppProviderAway', catalogue.providersAway, 'provider', '')],
};

export const directoryTable: Table<ClusterState, NamedRow> = {
  name: 'xmppDirectory',
  description: 'One row for each directory in which accounts live.',
  index: [nameIndex('xmppDirectoryName', 'The name of the directory in the configuration.')],
  implied: true,
  rows: (state) => namedRows(state, 'directory', [catalogue.directoryServersAway, catalogue.directoryConnections]),
  columns: [
    namedColumn('xmppDirectoryServersAway', catalogue.directoryServersAway, 'directory', 'servers'),
    namedColumn('xmppDirectoryConnections', catalogue.directoryConnections, 'directory', 'connections'),
    namedColumn('xmppDirectoryWaiting', catalogue.directoryWaiting, 'directory', 'calls'),
  ],
};
