import type { Stanza } from '@parley/xmpp/stanza';
import type { Awaitable } from '../pipeline.ts';
import type { Journal } from '../session/journal.ts';
import type { Route } from '../session/session.ts';

/**
 * Hands a stanza to sessions through the journal. True where at least one of them took it; the promise, where there
 * is one, waits for the commit.
 */
export function deliver(journal: Journal, targets: readonly Route[], stanza: Stanza): Awaitable<boolean> {
  let taken: boolean | undefined;
  let settle: ((taken: boolean) => void) | undefined;
  journal.append(targets, stanza, (gone) => {
    taken = gone.length < targets.length;
    settle?.(taken);
  });
  if (taken !== undefined) return taken;
  return new Promise((resolve) => {
    settle = resolve;
  });
}
