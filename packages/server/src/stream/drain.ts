import { setImmediate as nextTurn } from 'node:timers/promises';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Pending } from '../pending.ts';
import { within } from '../within.ts';
import type { Streams } from './streams.ts';

/** Streams that are closed in one turn, so that what they have begun goes on in between. */
const AT_ONCE = 100;

/**
 * Closes all streams with system-shutdown. Resolves when their connections are gone and `work` is done, or after so many
 * milliseconds, when what is still connected is cut.
 */
export async function drain(streams: Streams, work: Pending, ms: number): Promise<void> {
  while (streams.size > 0) {
    for (const stream of [...streams].slice(0, AT_ONCE)) stream.error(new StreamError('system-shutdown'));
    await nextTurn();
  }
  await within(
    streams.gone().then(() => work.idle()),
    ms,
  );
  for (const stream of streams.closing) stream.cut('the node stops');
}
