import type { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import type { Awaitable } from '../pipeline.ts';
import type { LoginAttempt } from './logins.ts';
import type { Stream } from './stream.ts';

/** Somebody who has proved who they are, and is not in yet. */
export interface ProvenLogin {
  readonly stream: Stream;
  /** What the client has asked for: `<authenticate/>`. */
  readonly request: Element;
  readonly attempt: LoginAttempt;
  readonly identity: Jid;
}

/** Something that stands between the proof and the success (XEP-0388 §2.6.3). */
export interface LoginTask {
  readonly name: string;
  /** For the person who logs in. */
  readonly text?: string | undefined;
  /**
   * Takes `<next/>` at first, then each `<task-data/>`. Gives what is answered; undefined where the task is done. What it
   * throws fails the login.
   */
  step(element: Element): Awaitable<readonly Element[] | undefined>;
}

/** A source of tasks. */
export interface LoginTasks {
  /** What of it stands in `<authentication/>`. */
  advertise(stream: Stream): readonly Element[];
  /** Whether it can have a password changed that has expired, since the client says that it knows how. */
  renews?(stream: Stream, request: Element): boolean;
  /** The next task of a login, if there is one: asked after the proof, and each time that a task was done. */
  next(login: ProvenLogin): Awaitable<LoginTask | undefined>;
}
