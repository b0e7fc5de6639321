import { counter, gauge } from './definition.ts';

/** What there is to know about how directories are followed. */
export const synchronisationMetrics = {
  directoryChanges: counter({
    name: 'parley.directory.changes',
    unit: '{change}',
    help: 'Changes of people in a directory that took effect.',
    labels: { directory: 'open', kind: ['added', 'changed', 'removed', 'moved'] },
  }),
  directoryFollowed: gauge({
    name: 'parley.directory.followed',
    unit: '1',
    help: 'Whether a node follows a directory in this way and knows everything: 1, or 0 while it cannot.',
    labels: {
      directory: 'open',
      what: 'open',
      mode: ['contentSynchronisation', 'persistentSearch', 'notification', 'polling'],
    },
    combine: 'max',
  }),
  directoryKnown: gauge({
    name: 'parley.directory.known',
    unit: '{entry}',
    help: 'Entries of a directory that are known; by the node that follows it.',
    labels: { directory: 'open', what: 'open' },
    combine: 'max',
  }),
  directoryAge: gauge({
    name: 'parley.directory.age',
    unit: 's',
    help: 'Time since a directory was heard last; by the node that follows it.',
    labels: { directory: 'open', what: 'open' },
    combine: 'max',
  }),
  directoryHeld: gauge({
    name: 'parley.directory.held',
    unit: '{entry}',
    help: 'Entries that a directory does not show any more and that are not taken for removed yet.',
    labels: { directory: 'open', what: 'open' },
    combine: 'max',
  }),
} as const;
