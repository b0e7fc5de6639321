import type { Stanza } from '@parley/xmpp/stanza';
import type { Awaitable } from '../pipeline.ts';
import type { CountingJournal } from '../session/journal.ts';
import { isJournaledFor } from '../session/journaled.ts';
import { RemoteSession } from '../session/remote-session.ts';
import type { Route, Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { Missed } from './missed.ts';
import type { RemoteDelivery } from './remote-delivery.ts';

const NONE: readonly Route[] = [];

/** Hands entries to the sessions of this node and to the nodes that have the others. */
export class ClusterJournal implements CountingJournal {
  readonly delivered = { here: 0, elsewhere: 0 };
  readonly #sessions: Sessions;
  readonly #remote: RemoteDelivery;
  readonly #missed: Pick<Missed, 'by'>;

  constructor(sessions: Sessions, remote: RemoteDelivery, missed: Pick<Missed, 'by'>) {
    this.#sessions = sessions;
    this.#remote = remote;
    this.#missed = missed;
  }

  append(targets: readonly Route[], entry: Stanza, done: (gone: readonly Route[]) => void): void {
    if (targets.length === 1) {
      const taken = this.#give(targets[0] as Route, entry);
      if (taken instanceof Promise) void taken.then((still) => done(still ? NONE : targets));
      else done(taken ? NONE : targets);
      return;
    }
    let gone: Route[] | undefined;
    let waits: Promise<unknown>[] | undefined;
    const missing = (route: Route) => {
      gone ??= [];
      gone.push(route);
    };
    for (const route of targets) {
      const taken = this.#give(route, entry);
      if (taken instanceof Promise) {
        waits ??= [];
        waits.push(taken.then((still) => still || missing(route)));
      } else if (!taken) {
        missing(route);
      }
    }
    if (waits === undefined) done(gone ?? NONE);
    else void Promise.all(waits).then(() => this.#done(targets, entry, gone ?? NONE, done));
  }

  /** What one of several sessions missed may be nobody's by now. */
  async #done(
    targets: readonly Route[],
    entry: Stanza,
    gone: readonly Route[],
    done: (gone: readonly Route[]) => void,
  ): Promise<void> {
    if (gone.length > 0 && gone.length < targets.length) {
      const takers = targets.filter((route) => !gone.includes(route));
      await this.#missed.by(entry, takers).catch(() => {}); // the node stops
    }
    done(gone);
  }

  /** False where the session is over. */
  #give(route: Route, entry: Stanza): Awaitable<boolean> {
    const session = this.#sessions.owned(route);
    if (session !== undefined) {
      this.delivered.here++;
      return this.#send(session, entry);
    }
    const remote = this.#remoteOf(route);
    if (remote === undefined) return false;
    this.delivered.elsewhere++;
    return this.#remote.deliver(remote, entry);
  }

  /** It may have moved since it was chosen. */
  #remoteOf(route: Route): RemoteSession | undefined {
    return this.#sessions.remote(route.sessionId) ?? (route instanceof RemoteSession ? route : undefined);
  }

  #send(session: Session, entry: Stanza): true | Promise<boolean> {
    if (!session.backlog?.resumable || !isJournaledFor(session.account, entry, 0)) return this.#take(session, entry);
    const { sessionId } = session;
    let known = entry;
    if (entry.origin === undefined) {
      // whose stanzas have origins of their own sends one when the one before is taken
      if (this.#remote.precedes(sessionId)) return this.#remote.queue(session, entry);
      if (session.mayMiss(entry)) return this.#take(session, entry);
      // whoever takes the session over may have it already
      known = entry.withOrigin(this.#remote.originOf(entry));
    }
    const order = this.#remote.nextOrder();
    const committed = session.send(known);
    if (!(committed instanceof Promise)) return true;
    this.#remote.begin(sessionId);
    let over = false;
    const end = () => {
      if (!over) this.#remote.end(sessionId);
      over = true;
    };
    const stop = this.#remote.whenNotFor(session, known, end);
    return committed.then(() => {
      stop();
      end();
      return session.movedAway ? this.#remote.follow(session, known, order) : true;
    });
  }

  /** What need not outlive this node, or cannot. */
  #take(session: Session, entry: Stanza): true | Promise<boolean> {
    const taken = session.send(entry);
    if (!(taken instanceof Promise)) return true;
    return taken.then(() => (session.movedAway ? this.#remote.follow(session, entry, this.#remote.nextOrder()) : true));
  }
}
