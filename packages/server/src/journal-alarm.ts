import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Registry } from '@parley/metrics/registry';
import type { Log } from './log.ts';
import type { Node } from './node.ts';
import { JournalSweeps } from './session/resumption/journal-sweeps.ts';

interface Parts {
  readonly keyspace: Keyspace;
  readonly sweepSeconds: number;
  /** Of this node in the cluster. */
  readonly id: string;
  readonly node: Pick<Node, 'cluster'>;
  readonly registry: Registry;
  readonly log: Log;
}

/** Has this node look at its share of the journals, and tell of what is missing in them. */
export function journalSweeps({ keyspace, sweepSeconds, id, node, registry: { metrics }, log }: Parts): JournalSweeps {
  return new JournalSweeps({
    keyspace,
    sweepSeconds,
    share() {
      const ids = (node.cluster?.members ?? []).map((member) => member.id).sort();
      return { place: Math.max(0, ids.indexOf(id)), of: Math.max(1, ids.length) };
    },
    onMissing(partition, missing) {
      const kind = missing > 0 ? 'missing' : 'surplus';
      const stanzas = Math.abs(missing);
      metrics.journalUnaccounted.with({ kind }).add(stanzas);
      log.error('journal.unaccounted', { partition, kind, stanzas, message: WORDS[kind] });
    },
    onFault(error) {
      metrics.errors.add(1);
      log.error('journal.fault', { error: error as Error });
    },
  });
}

const WORDS = {
  missing: 'Stanzas that were to be delivered are in no journal any more, and nobody knows what became of them.',
  surplus: 'A journal has stanzas that it never got.',
};
