import type { KeyspaceObserver } from '@parley/keyspace/observer';
import { startSpan } from './trace.ts';

/** A span for each call that something makes which is traced. Frames between nodes have spans of their own. */
export function keyspaceSpans(system: string): Pick<KeyspaceObserver, 'issued'> {
  return {
    issued(name) {
      if (name === 'publish') return undefined;
      const span = startSpan(`keyspace ${name}`, 'client');
      span?.set('db.system.name', system).set('db.operation.name', name);
      return span && ((failure) => span.end(failure));
    },
  };
}
