import type { NodeReport } from '@parley/metrics/node-report';
import { Registry } from '@parley/metrics/registry';

/** What a node might report, with metrics that a test counts. */
export class TestNode {
  readonly registry = new Registry();
  readonly name: string;
  startedAt: number;
  state: NodeReport['state'] = 'up';
  software = '1.0.0';
  associations: NodeReport['associations'] = [];

  constructor(name: string, startedAt = 0) {
    this.name = name;
    this.startedAt = startedAt;
    this.registry.metrics.keyspaceState.set(1);
  }

  report(at: number): NodeReport {
    const { name, startedAt, state, software, associations } = this;
    return { ...this.registry.snapshot(name, at), software, startedAt, state, reasons: [], associations };
  }
}
