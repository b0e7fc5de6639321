import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take ten seconds and more, the longest first. */
const LONG = [
  'tests/federation/directed-presence.test.ts',
  'tests/monitoring/every-column.test.ts',
  'tests/cli/account.test.ts',
  'tests/limits/federation.test.ts',
  'tests/monitoring/snmp.test.ts',
  'tests/monitoring/three-views.test.ts',
  'tests/monitoring/states.test.ts',
  'tests/demo/evaluation-guide.test.ts',
  'tests/faults/redis-failover.test.ts',
  'tests/monitoring/opentelemetry.test.ts',
  'tests/data/portable.test.ts',
  'tests/federation/queues.test.ts',
  'scripts/bench-server.test.ts',
  'tests/faults/redis-troubles.test.ts',
  'tests/faults/redis-cluster.test.ts',
  'tests/chaos/chaos.test.ts',
  'tests/federation/killed-peers.test.ts',
  'tests/interop/foreign-clients.test.ts',
  'tests/cli/running-node.test.ts',
  'tests/load-balancer.test.ts',
];

/**
 * Begins with the long files, so that none of them is left alone at the end. Without it vitest goes by the size of files where
 * it has never run them, as on a build server.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = new Map(LONG.map((file, index) => [file, index]));
    const place = ({ moduleId }: TestSpecification) =>
      rank.get(moduleId.slice(this.ctx.config.root.length + 1)) ?? LONG.length;
    return sorted.toSorted((a, b) => place(a) - place(b));
  }
}
