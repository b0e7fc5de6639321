import { counter, gauge } from './definition.ts';

/** The audit stream. */
export const auditMetrics = {
  auditEntries: counter({
    name: 'parley.audit.entries',
    unit: '{entry}',
    help: 'Entries of the audit stream that were made.',
  }),
  auditDropped: counter({
    name: 'parley.audit.dropped',
    unit: '{entry}',
    help: 'Entries that the file or the syslog server did not get, since too many waited.',
  }),
  auditWaiting: gauge({
    name: 'parley.audit.waiting',
    unit: '{entry}',
    help: 'Entries that wait for the file or the syslog server.',
    combine: 'sum',
  }),
};
