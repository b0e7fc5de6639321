import type { Keyspace } from '@parley/keyspace/keyspace';
import { defineOperation, type OperationView } from '@parley/keyspace/operation';
import { MEMBER, WAITING_MEMBER } from './index-member.ts';
import { countsOf, type JournalCounts, NO_COUNTS } from './journal-counts.ts';
import {
  journalCountKeys,
  journalKeys,
  queueIndexKeys,
  sessionIndexKeys,
  waitingIndexKeys,
  waitingKeys,
} from './resumption-keys.ts';

/** What all journals of a partition ever got, and what became of it. */
export interface Swept extends JournalCounts {
  /** Entries that are there. */
  readonly present: number;
  /** Entries of which nobody knows what became of them; below 0 where there are more than there should be. */
  readonly missing: number;
}

/** Looks at all journals of a partition at one moment. */
export const sweepJournals = defineOperation<Swept>({
  name: 'sweep-journals',
  lua: new URL('./sweep-journals.lua', import.meta.url),
  js(view, [counts = '', sessions = '', queues = '', waiting = ''], [journals = '', waitings = '', note]) {
    const sums = { ...NO_COUNTS } as { -readonly [Name in keyof JournalCounts]: number };
    let [present, gone] = [0, 0];
    for (const index of [sessions, queues]) {
      for (const { sid, epoch } of membersOf(view, index, MEMBER)) {
        if (epoch === '0') continue; // it cannot be resumed, and has none
        const journal = `${journals}${sid}:${epoch}`;
        const length = view.llen(journal);
        if (length === 0) gone++;
        const [header] = view.lrange(journal, 0, 0);
        if (header === undefined || header[0] === UNCOUNTED) continue;
        const found = countsOf([header, ...(length > 1 ? view.lrange(journal, -1, -1) : [])]);
        for (const name of NAMES) sums[name] += found[name];
        present += length - 1;
      }
    }
    // two may have ended the same session, since the keyspace had lost that the first one had
    const left = new Set(membersOf(view, waiting, WAITING_MEMBER).map(({ sid }) => sid));
    for (const sid of left) present += view.llen(`${waitings}${sid}`);
    for (const name of NAMES) sums[name] += Number(view.hget(counts, name) ?? 0);
    const { entered, delivered, moved, bounced } = sums;
    const missing = entered + gone - delivered - moved - bounced - present - Number(view.hget(counts, 'missing') ?? 0);
    if (missing !== 0 && String(note) === '1') view.hincrby(counts, 'missing', missing);
    return [entered, delivered, moved, bounced, present, missing];
  },
  result(reply) {
    const [entered = 0, delivered = 0, moved = 0, bounced = 0, present = 0, missing = 0] = reply as number[];
    return { entered, delivered, moved, bounced, present, missing };
  },
});

const NAMES = ['entered', 'delivered', 'moved', 'bounced'] as const;
/** The version of headers that have no counts. */
const UNCOUNTED = 1;

const membersOf = (view: OperationView, index: string, form: RegExp) =>
  view.smembers(index).flatMap((member) => {
    const { sid = '', epoch = '' } = form.exec(String(member))?.groups ?? {};
    return sid === '' ? [] : [{ sid, epoch }];
  });

/** What `sweepJournals` is called with. `note`: what is missing is not to be found again. */
export function sweepOf(partition: number, note: boolean): { readonly keys: string[]; readonly args: string[] } {
  const place = String(partition);
  const keys = [journalCountKeys, sessionIndexKeys, queueIndexKeys, waitingIndexKeys].map((each) => each.key(place));
  const beginning = (key: string, ...parts: string[]) => key.slice(0, -parts.join(':').length);
  const journals = beginning(journalKeys.key(place, 'x', '0'), 'x', '0');
  return { keys, args: [journals, beginning(waitingKeys.key(place, 'x'), 'x'), note ? '1' : ''] };
}

/** Compares what journals of a partition got with what became of it. */
export function sweep(keyspace: Keyspace, partition: number, note: boolean): Promise<Swept> {
  const { keys, args } = sweepOf(partition, note);
  return keyspace.call(sweepJournals, keys, args);
}
