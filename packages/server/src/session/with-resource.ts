import type { Route } from './session.ts';

/**
 * The session with this resource among those of an account. Of several the one that was bound last has it: the one before is
 * over, or will be as soon as its node hears of that.
 */
export function withResource<Found extends Pick<Route, 'jid' | 'boundAt'>>(
  sessions: readonly Found[],
  resource: string,
): Found | undefined {
  let found: Found | undefined;
  for (const session of sessions) {
    if (session.jid.resource !== resource) continue;
    if (found === undefined || session.boundAt > found.boundAt) found = session;
  }
  return found;
}
