import type { SYNCHRONISATION_MODES } from '../../../config/directory-synchronisation.ts';
import type { Entry } from '../entry.ts';
import { SYNC } from './content-sync-messages.ts';
import { NOTIFICATION, PERSISTENT_SEARCH } from './doorbell.ts';

/** A way to follow a directory. */
export type SynchronisationMode = Exclude<(typeof SYNCHRONISATION_MODES)[number], 'auto'>;

/** The best first, and the control by which a directory shows that it has it. */
const MODES: readonly (readonly [SynchronisationMode, string])[] = [
  ['contentSynchronisation', SYNC.request],
  ['notification', NOTIFICATION],
  ['persistentSearch', PERSISTENT_SEARCH],
  ['polling', ''],
];

/** Those that a directory has, by what it tells of itself; the best first. */
export function modesOf(rootDse: Entry): SynchronisationMode[] {
  const offered = new Set(rootDse.texts('supportedControl'));
  return MODES.filter(([, control]) => control === '' || offered.has(control)).map(([mode]) => mode);
}
