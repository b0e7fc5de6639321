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

  constructor(journal: Journal, sessions: Sessions, versioning: () => boolean) {
    this.#journal = journal;
    this.#sessions = sessions;
    this.#versioning = versioning;
  }

  /** Pushes an item to every interested resource of the account. */
  push(account: Jid, item: Element, version: number): Awaitable<void> {
    let push: Iq | undefined;
    const sent = new Waits();
    for (const session of this.#sessions.of(account)) {
      if (!session.interested) continue;
      if (!(session instanceof RemoteSession)) sent.add(this.#catchUp(session));
      push ??= this.#make(account, item, version);
      sent.add(this.#send(session, push));
    }
    return sent.all;
  }

  /**
   * Has a session get what it missed once the answer to its request is on its way, yet before any later push (§2.6.3).
   */
  afterAnswer(session: Session, items: () => readonly (readonly [item: Element, version: number])[]): void {
    this.#missed.set(session, () => {
      const sent = new Waits();
      for (const [item, version] of items()) sent.add(this.#send(session, this.#make(session.account, item, version)));
      return sent.all;
    });
    setImmediate(() => void this.#catchUp(session)); // a journal never fails: it goes on until it has committed
  }

  #catchUp(session: Session): Awaitable<void> {
    const send = this.#missed.get(session);
    this.#missed.delete(session);
    return send?.();
  }

  #make(account: Jid, item: Element, version: number): Iq {
    const ver = this.#versioning() ? version : undefined;
    const id = `${this.#idPrefix}${++this.#count}`;
    return iq({ from: account, id, type: 'set' }, Element.of('query', NS.roster, { ver }, item));
  }

  #send(session: BoundSession, push: Iq): Awaitable<void> {
    const taken = deliver(this.#journal, [session], push.withTo(session.jid));
    if (taken instanceof Promise) return taken.then(() => undefined);
  }
}
