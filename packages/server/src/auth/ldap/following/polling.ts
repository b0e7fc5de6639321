import { setTimeout as pause } from 'node:timers/promises';
import type { Follow } from './follow.ts';
import { Poll } from './poll.ts';

/** Follows a directory that tells nothing by itself. Ends with an error. */
export async function polling(follow: Follow): Promise<never> {
  const everyMs = follow.directory.settings.synchronisation.pollSeconds * 1000;
  const poll = new Poll(follow);
  for (;;) {
    if (poll.dueIn(everyMs) === 0) await poll.compare();
    else await poll.changes();
    await pause(everyMs, undefined, { signal: follow.signal, ref: false });
  }
}
