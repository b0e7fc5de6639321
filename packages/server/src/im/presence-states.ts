import type { Jid } from '@parley/xmpp/jid';
import type { Session } from '../session/session.ts';
import { DirectedPresence } from './directed-presence.ts';

/** What is known of the presence that one session has sent, beside the presence itself. */
export interface PresenceState {
  /** Its contacts have got an available presence. */
  announced: boolean;
  directed: DirectedPresence | undefined;
  /** Contacts whose last presence to this session was an error: bare JIDs. */
  failed: Set<string> | undefined;
}

/** The state of the sessions that have sent presence. */
export class PresenceStates {
  readonly #states = new WeakMap<Session, PresenceState>();
  #failing = 0;

  of(session: Session): PresenceState {
    let state = this.#states.get(session);
    if (state === undefined) {
      state = { announced: false, directed: undefined, failed: undefined };
      this.#states.set(session, state);
    }
    return state;
  }

  /** The state, from which the session begins anew: it has become unavailable. */
  take(session: Session): PresenceState | undefined {
    const state = this.#states.get(session);
    if (state === undefined) return undefined;
    this.#states.delete(session);
    session.directed = undefined;
    if (state.failed !== undefined) this.#failing--;
    return state;
  }

  /** The contact answered presence with an error. */
  fail(session: Session, contact: Jid): void {
    const state = this.of(session);
    if (state.failed === undefined) {
      state.failed = new Set();
      this.#failing++;
    }
    state.failed.add(contact.bareText);
  }

  /** Whether `recover` may have something to do. */
  get anyFailed(): boolean {
    return this.#failing > 0;
  }

  /** The contact has sent other presence since. */
  recover(session: Session, contact: Jid): void {
    this.#states.get(session)?.failed?.delete(contact.bareText);
  }

  /** Whether the session has sent its presence to somebody at this bare address, of its own accord. */
  reaches(session: Session, jid: Jid): boolean {
    return this.#states.get(session)?.directed?.reaches(jid) === true;
  }

  /** Remembers a target of directed presence; false where there are `most` already. */
  direct(session: Session, to: Jid, most: number): boolean {
    const state = this.of(session);
    state.directed ??= new DirectedPresence();
    session.directed = state.directed;
    return state.directed.add(to, most);
  }
}
