import type { Stanza } from '@parley/xmpp/stanza';
import type { Route } from './session.ts';
import type { Sessions } from './sessions.ts';

/**
 * The way of every delivery to sessions. `done` runs when the entry is committed for all targets, with those whose
 * session is gone: nothing was appended for them. Where there is nothing to wait for, it runs in the same turn.
 */
export interface Journal {
  append(targets: readonly Route[], entry: Stanza, done: (gone: readonly Route[]) => void): void;
}

export interface CountingJournal extends Journal {
  /** How many deliveries there were to sessions of this node, and how many went on to others. */
  readonly delivered: { readonly here: number; readonly elsewhere: number };
}

const NONE: readonly Route[] = [];

/** Hands entries to the sessions of this node, each of which journals what it must (see `Management`). */
export class DirectJournal implements CountingJournal {
  readonly delivered = { here: 0, elsewhere: 0 };
  readonly #sessions: Sessions;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  append(targets: readonly Route[], entry: Stanza, done: (gone: readonly Route[]) => void): void {
    let gone: Route[] | undefined;
    let commits: Promise<void>[] | undefined;
    for (const route of targets) {
      const session = this.#sessions.owned(route);
      if (session === undefined) {
        gone ??= [];
        gone.push(route);
        continue;
      }
      this.delivered.here++;
      const committed = session.send(entry);
      if (committed instanceof Promise) {
        commits ??= [];
        commits.push(committed);
      }
    }
    const missed = gone ?? NONE;
    if (commits === undefined) done(missed);
    else if (commits.length === 1) void (commits[0] as Promise<void>).then(() => done(missed));
    else void Promise.all(commits).then(() => done(missed));
  }
}
