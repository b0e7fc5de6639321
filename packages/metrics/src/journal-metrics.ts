import { counter } from './definition.ts';

/** What there is to know about journals: what is written down until it is acknowledged. */
export const journalMetrics = {
  journalEntries: counter({
    name: 'parley.journal.entries',
    unit: '{stanza}',
    help: 'Stanzas that journals of this node got (entered), and what became of them: acknowledged (delivered), gone to another session, the offline storage or back to their sender when theirs ended (moved), or answered with an error since another server was not reached in time (bounced).',
    labels: { change: ['entered', 'delivered', 'moved', 'bounced'] },
  }),
  journalUnaccounted: counter({
    name: 'parley.journal.unaccounted',
    unit: '{stanza}',
    help: 'Stanzas that journals got and of which nobody knows what became of them (missing), or that they have and never got (surplus), found by comparing: anything but 0 is a defect, or damage in Redis.',
    labels: { kind: ['missing', 'surplus'] },
  }),
} as const;
