import { randomBytes } from 'node:crypto';
import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { type Iq, iq } from '@parley/xmpp/stanza';
import type { Awaitable } from '../pipeline.ts';
import { deliver } from '../routing/deliver.ts';
import type { Journal } from '../session/journal.ts';
import { RemoteSession } from '../session/remote-session.ts';
import type { Session } from '../session/session.ts';
import type { BoundSession, Sessions } from '../session/sessions.ts';
import { versionText } from './roster-version.ts';
import { Waits } from './waits.ts';

/** Tells clients what changed in their rosters (RFC 6121 §2.1.6). */
export class RosterPushes {
  readonly #journal: Journal;
  readonly #sessions: Sessions;
  readonly #versioning: () => boolean;
  readonly #idPrefix = `push-${randomBytes(6).toString('base64url')}-`;
  #count = 0;
  /** Sessions that first have to get what they missed. */
  readonly #missed = new Map<Session, () => Awaitable<void>>();
  /** The version of what groups add to the roster, as each session knows it whole. */
  readonly #known = new WeakMap<Session, string | undefined>();

  constructor(journal: Journal, sessions: Sessions, versioning: () => boolean) {
    this.#journal = journal;
    this.#sessions = sessions;
    this.#versioning = versioning;
  }

  /** From now on the session knows all that groups add to the roster, in this version. */
  knows(session: Session, shared: string | undefined): void {
    this.#known.set(session, shared);
  }

  /** Pushes an item to every interested resource of the account. `version`: that of what is the account's own. */
  push(account: Jid, item: Element, version: number): Awaitable<void> {
    const id = this.#nextId();
    const sent = new Waits();
    for (const session of this.#sessions.of(account)) {
      if (!session.interested) continue;
      // what groups add may not be known whole to a session of another node: without it, its client is told more later
      const ver = session instanceof RemoteSession ? String(version) : this.#versionFor(session, version);
      if (!(session instanceof RemoteSession)) sent.add(this.#catchUp(session));
      sent.add(this.#send(session, this.#make(account, item, ver, id)));
    }
    return sent.all;
  }

  /** Pushes to one session what has become of an item because of a group. */
  pushTo(session: Session, item: Element, version: number): Awaitable<void> {
    const sent = new Waits();
    sent.add(this.#catchUp(session));
    sent.add(
      this.#send(session, this.#make(session.account, item, this.#versionFor(session, version), this.#nextId())),
    );
    return sent.all;
  }

  #versionFor(session: Session, own: number): string {
    return versionText(own, this.#known.get(session));
  }

  #nextId(): string {
    return `${this.#idPrefix}${++this.#count}`;
  }

  /**
   * Has a session get what it missed once the answer to its request is on its way, yet before any later push (§2.6.3).
   */
  afterAnswer(session: Session, items: () => readonly (readonly [item: Element, version: number])[]): void {
    this.#missed.set(session, () => {
      const sent = new Waits();
      for (const [item, version] of items()) {
        const ver = this.#versionFor(session, version);
        sent.add(this.#send(session, this.#make(session.account, item, ver, this.#nextId())));
      }
      return sent.all;
    });
    setImmediate(() => void this.#catchUp(session)); // a journal never fails: it goes on until it has committed
  }

  #catchUp(session: Session): Awaitable<void> {
    const send = this.#missed.get(session);
    this.#missed.delete(session);
    return send?.();
  }

  #make(account: Jid, item: Element, version: string, id: string): Iq {
    const ver = this.#versioning() ? version : undefined;
    return iq({ from: account, id, type: 'set' }, Element.of('query', NS.roster, { ver }, item));
  }

  #send(session: BoundSession, push: Iq): Awaitable<void> {
    const taken = deliver(this.#journal, [session], push.withTo(session.jid));
    if (taken instanceof Promise) return taken.then(() => undefined);
  }
}
