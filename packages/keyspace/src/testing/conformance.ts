import { conductConformance } from './conduct-conformance.ts';
import { dataConformance } from './data-conformance.ts';
import type { Opener } from './fresh-keys.ts';

/** Registers the tests that every keyspace passes. */
export function conformance(name: string, open: Opener): void {
  dataConformance(name, open);
  conductConformance(name, open);
}
