import { KeyspaceError, type KeyspaceFailure } from '@parley/keyspace/keyspace-error';

/** These pass, be it that an operator does something. */
const PASSING: ReadonlySet<KeyspaceFailure> = new Set(['away', 'slow', 'full', 'read-only', 'refused']);

export const isPassing = (error: unknown): boolean => error instanceof KeyspaceError && PASSING.has(error.failure);

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
