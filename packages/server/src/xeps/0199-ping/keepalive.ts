import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Session } from '../../session/session.ts';

export interface KeepaliveHost {
  readonly sessions: Iterable<Session> & { readonly size: number };
  limits(): { readonly idleSeconds: number; readonly timeoutSeconds: number };
  /** Sends a request to a session. */
  ask(session: Session, payload: Element): void;
  onGone(session: Session): void;
}

/** Seconds over which the pings of all sessions are spread where all fall idle at once. */
const SPREAD_SECONDS = 30;
const LEAST_PINGS = 50;

/**
 * Finds sessions whose connection is gone although nobody said so. It counts in seconds that this process was at work,
 * not by a clock, so neither a jump of the clock nor a standstill of the node makes a session look silent.
 */
export class Keepalive {
  readonly #host: KeepaliveHost;
  /** The sessions that were asked, and for how many seconds they have not answered. */
  readonly #asked = new Map<Session, number>();

  constructor(host: KeepaliveHost) {
    this.#host = host;
  }

  /** Sessions whose sign of life is awaited. */
  get waiting(): number {
    return this.#asked.size;
  }

  /** A second has passed. */
  tick(): void {
    const { sessions } = this.#host;
    const { idleSeconds, timeoutSeconds } = this.#host.limits();
    this.#endSilent(timeoutSeconds);
    let left = Math.max(LEAST_PINGS, Math.ceil(sessions.size / SPREAD_SECONDS));
    for (const session of sessions) {
      if (session.detached) continue; // nobody is there who could answer
      const { stream } = session;
      stream.silence = stream.reading ? stream.silence + 1 : 0;
      if (stream.silence < idleSeconds || left === 0 || this.#asked.has(session)) continue;
      left--;
      this.#ask(session);
    }
  }

  #ask(session: Session): void {
    this.#asked.set(session, 0);
    this.#host.ask(session, Element.of('ping', NS.ping)); // XEP-0199 §4.1
  }

  /** Anything that came since is a sign of life: a result, an error, white space. */
  #endSilent(timeoutSeconds: number): void {
    for (const [session, before] of this.#asked) {
      const waited = before + 1;
      if (session.detached || session.stream.silence < waited) {
        this.#asked.delete(session);
      } else if (waited < timeoutSeconds) {
        this.#asked.set(session, waited);
      } else {
        this.#asked.delete(session);
        this.#host.onGone(session);
        session.end(new StreamError('connection-timeout', 'There was no answer to a ping.'));
      }
    }
  }

  forget(session: Session): void {
    this.#asked.delete(session);
  }
}
