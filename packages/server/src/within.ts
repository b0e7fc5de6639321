import { setTimeout as pause } from 'node:timers/promises';

/** Resolves when the work is done, or so many milliseconds are over. */
export async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const late = new AbortController();
  try {
    await Promise.race([work, pause(ms, undefined, { signal: late.signal }).catch(() => {})]);
  } finally {
    late.abort();
  }
}
