import type { Metrics } from '@parley/metrics/registry';
import type { Audit } from './audit.ts';

/** The audit stream as the metrics of a node tell of it, whose name stands in the entries from now on. */
export function observeAudit({ auditEntries, auditDropped, auditWaiting }: Metrics, audit: Audit, node: string): void {
  audit.node = node;
  auditEntries.observe(() => audit.entries);
  auditDropped.observe(() => audit.dropped);
  auditWaiting.observe(() => audit.waiting);
}
