import { catalogue } from '@parley/metrics/catalogue';
import type { Definition } from '@parley/metrics/definition';
import { seriesOf, seriesSum } from '@parley/metrics/series-sum';
import type { Snapshot } from '@parley/metrics/snapshot';
import type { ClusterState } from '../cluster/cluster-state.ts';
import { textIndex } from '../protocol/oid.ts';
import { gauge32, integer } from '../protocol/value.ts';
import { type Column, SYNTAX, type Table } from './definition.ts';

/** Longer ones cannot be told: an identifier has no more than 128 numbers. */
const MOST_OCTETS = 100;

interface NamedRow {
  readonly name: string;
  readonly metrics: Pick<Snapshot, 'values'>;
}

const name = (of: string, description: string) => ({
  name: of,
  syntax: { text: `SnmpAdminString (SIZE (1..${MOST_OCTETS}))`, type: 'SnmpAdminString' },
  description,
});

/** A row for each value that a label has in one of these metrics. */
function* named(
  { cluster: { metrics } }: ClusterState,
  label: string,
  definitions: readonly Definition[],
): Generator<{ index: readonly number[]; row: NamedRow }, void, undefined> {
  const names = new Set<string>();
  for (const definition of definitions) {
    for (const { labels } of seriesOf(metrics, definition)) names.add(labels.get(label) ?? '');
  }
  for (const each of names) {
    if (each === '' || Buffer.byteLength(each) > MOST_OCTETS) continue;
    yield { index: textIndex(each, true), row: { name: each, metrics } };
  }
}

const gaugeOf = (
  column: string,
  definition: Definition,
  label: string,
  units: string,
  factor = 1,
): Column<NamedRow> => ({
  name: column,
  syntax: SYNTAX.gauge,
  units,
  description: definition.help,
  value: (row) => gauge32(seriesSum(row.metrics, definition, { [label]: row.name }) * factor),
});

export const domainTable: Table<ClusterState, NamedRow> = {
  name: 'xmppDomain',
  description: 'One row for each domain that is served.',
  index: [name('xmppDomainName', 'The domain.')],
  implied: true,
  rows: (state) => named(state, 'domain', [catalogue.certificateDays]),
  columns: [
    {
      name: 'xmppDomainCertificateDays',
      syntax: { text: 'Integer32', type: 'Integer32' },
      units: 'days',
      description: catalogue.certificateDays.help,
      value: (row) => integer(Math.floor(seriesSum(row.metrics, catalogue.certificateDays, { domain: row.name }))),
    },
  ],
};

export const directoryTable: Table<ClusterState, NamedRow> = {
  name: 'xmppDirectory',
  description: 'One row for each directory in which accounts live.',
  index: [name('xmppDirectoryName', 'The name of the directory in the configuration.')],
  implied: true,
  rows: (state) => named(state, 'directory', [catalogue.directoryServersAway, catalogue.directoryConnections]),
  columns: [
    gaugeOf('xmppDirectoryServersAway', catalogue.directoryServersAway, 'directory', 'servers'),
    gaugeOf('xmppDirectoryConnections', catalogue.directoryConnections, 'directory', 'connections'),
    gaugeOf('xmppDirectoryWaiting', catalogue.directoryWaiting, 'directory', 'calls'),
  ],
};
