import { setTimeout as delay } from 'node:timers/promises';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError, type KeyspaceFailure } from '@parley/keyspace/keyspace-error';

/** These pass, be it that an operator does something. */
const PASSING: ReadonlySet<KeyspaceFailure> = new Set(['away', 'slow', 'full', 'read-only', 'refused']);

export const isPassing = (error: unknown): boolean => error instanceof KeyspaceError && PASSING.has(error.failure);

/** The keyspace cannot be reached, or does not answer: nobody is to be bothered with that before it is over. */
export const isAway = (error: unknown): error is KeyspaceError =>
  error instanceof KeyspaceError && (error.failure === 'away' || error.failure === 'slow');

/** Between two attempts to write to a keyspace that fails, longer while it is known to be down. */
const PAUSE_MS = 250;
const MOST_PAUSES = 20;

/** Resolves when a keyspace that has just failed may do better. */
export async function nextAttempt(keyspace: Pick<Keyspace, 'state'>): Promise<void> {
  for (let pause = 0; pause < MOST_PAUSES; pause++) {
    await delay(PAUSE_MS);
    if (keyspace.state === 'up') return;
  }
}

/**
 * Tries until the keyspace has done it or will never do it: for what may be done twice and must not get lost because the
 * keyspace is away for a while. `again` resolves when another attempt is worth it.
 */
export async function untilDone<Result>(attempt: () => Promise<Result>, again: () => Promise<void>): Promise<Result> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isPassing(error)) throw error;
      await again();
    }
  }
}

/** Calls `done` when the keyspace has worked for so many milliseconds without a break. The returned function ends it. */
export function whenUpFor(
  keyspace: Pick<Keyspace, 'state' | 'onState'>,
  milliseconds: number,
  done: () => void,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  const begin = () => {
    clearTimeout(timer);
    if (keyspace.state === 'up') timer = setTimeout(done, milliseconds);
  };
  begin();
  const stop = keyspace.onState(begin);
  return () => {
    stop();
    clearTimeout(timer);
  };
}
