import type { Jid } from '@parley/xmpp/jid';
import { presence } from '@parley/xmpp/stanza';
import type { GroupChange, ViewChange } from '../auth/groups/group.ts';
import type { ModuleContext } from '../module.ts';
import type { Awaitable } from '../pipeline.ts';
import { deliver } from '../routing/deliver.ts';
import type { Session } from '../session/session.ts';
import type { AccountRoster } from './account-roster.ts';
import type { Paced } from './paced.ts';
import type { PresenceBroadcast } from './presence-broadcast.ts';
import type { PresenceProbes } from './presence-probes.ts';
import { itemElement, removedItemElement } from './roster-item.ts';
import type { RosterPushes } from './roster-pushes.ts';
import type { RosterStore } from './roster-store.ts';
import { Waits } from './waits.ts';

/** How long a change is remembered for sessions that come from another node, which may not have told them of it. */
const RECENT_MS = 10_000;

/** What one session is to be told of. */
interface Task {
  readonly view: ViewChange;
  /** The session's account is one of the contacts: others see it. */
  readonly seen: boolean;
}

interface Telling {
  readonly contact: Jid;
  readonly task: Task;
}

export interface SharedChangesOptions {
  readonly context: Pick<ModuleContext, 'journal' | 'sessions'>;
  readonly store: RosterStore;
  readonly pushes: RosterPushes;
  readonly broadcast: PresenceBroadcast;
  readonly probes: PresenceProbes;
  readonly paced: Paced;
  readonly now?: () => number;
}

/**
 * Has the sessions of this node see what groups have become: roster pushes, and the presence of those who have come and
 * of those who are gone. Each node does it for its own sessions once all nodes know the change.
 */
export class SharedChanges {
  readonly #options: SharedChangesOptions;
  readonly #now: () => number;
  readonly #tasks = new Map<Session, Task[]>();
  #recent: { readonly change: GroupChange; readonly at: number }[] = [];

  constructor(options: SharedChangesOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  take(change: GroupChange): void {
    const now = this.#now();
    this.#recent = this.#recent.filter(({ at }) => now - at < RECENT_MS);
    this.#recent.push({ change, at: now });
    for (const view of change.views) {
      for (const session of this.#viewers(view)) this.#add(session, { view, seen: false });
      if (view.mutual) continue;
      for (const contact of view.contacts) {
        for (const session of this.#options.context.sessions.here(contact)) this.#add(session, { view, seen: true });
      }
    }
  }

  /** Another node had the session, and may not have told it everything. */
  restored(session: Session): void {
    const now = this.#now();
    for (const { change, at } of this.#recent) {
      if (now - at >= RECENT_MS) continue;
      for (const view of change.views) {
        if (isAmong(session.account, view.viewers)) this.#add(session, { view, seen: false });
        if (!view.mutual && isAmong(session.account, view.contacts)) this.#add(session, { view, seen: true });
      }
    }
  }

  forget(session: Session): void {
    this.#tasks.delete(session);
  }

  *#viewers({ viewers, contacts }: ViewChange): Generator<Session, void, undefined> {
    const { sessions } = this.#options.context;
    if (viewers !== 'everyone') {
      for (const viewer of viewers) yield* sessions.here(viewer);
      return;
    }
    const domains = new Set(contacts.map(({ domain }) => domain));
    for (const session of sessions) if (domains.has(session.account.domain)) yield session;
  }

  #add(session: Session, task: Task): void {
    if (!session.interested && !session.available) return;
    const tasks = this.#tasks.get(session);
    if (tasks !== undefined) {
      tasks.push(task);
      return;
    }
    this.#tasks.set(session, [task]);
    this.#options.paced.start(session, this.#steps(session));
  }

  /** The last push says that the roster is known whole; before that clients are told the version that they had. */
  *#steps(session: Session): Generator<Awaitable<void>, void> {
    let next: Telling | undefined;
    for (const task of this.#drain(session)) {
      for (const contact of this.#contactsOf(session, task)) {
        if (next !== undefined) yield this.#tell(session, next, false);
        next = { contact, task };
      }
    }
    if (next !== undefined) yield this.#tell(session, next, true);
  }

  *#drain(session: Session): Generator<Task, void, undefined> {
    const tasks = this.#tasks.get(session) ?? [];
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) yield task;
    if (this.#tasks.get(session) === tasks) this.#tasks.delete(session);
  }

  *#contactsOf(session: Session, { view, seen }: Task): Generator<Jid, void, undefined> {
    const { account } = session;
    if (seen) {
      yield* this.#known(session, view.viewers);
      return;
    }
    for (const contact of view.contacts) {
      if (contact.equals(account) || (view.viewers === 'everyone' && contact.domain !== account.domain)) continue;
      yield contact;
    }
  }

  /** Of those who see the account from now on or do not any more: whom it may have in its roster. */
  *#known({ account }: Session, viewers: ViewChange['viewers']): Generator<Jid, void, undefined> {
    if (viewers !== 'everyone') {
      for (const viewer of viewers) if (!viewer.equals(account)) yield viewer;
      return;
    }
    const roster = this.#options.store.get(account);
    if (roster instanceof Promise) return; // nobody here has asked for it
    for (const { jid } of [...roster.allShown()]) if (jid.domain === account.domain) yield jid;
  }

  #tell(session: Session, telling: Telling, last: boolean): Awaitable<void> {
    const roster = this.#options.store.get(session.account);
    if (!(roster instanceof Promise)) return this.#show(session, roster, telling, last);
    return roster.then((read) => this.#show(session, read, telling, last));
  }

  #show(session: Session, roster: AccountRoster, { contact, task }: Telling, last: boolean): Awaitable<void> {
    const { pushes, probes } = this.#options;
    const item = roster.shown(contact);
    const sent = new Waits();
    if (last) pushes.knows(session, roster.sharedVersion);
    if (session.interested && (item !== undefined || !task.seen)) {
      const element = item === undefined ? removedItemElement(contact) : itemElement(item);
      sent.add(pushes.pushTo(session, element, roster.version));
    }
    if (session.available && !task.seen && !task.view.namesOnly) {
      sent.add(roster.isSubscribed(contact) ? probes.ask(session, contact) : this.#leave(session, contact));
    }
    return sent.all;
  }

  /** Has a client believe that the contact is gone. */
  async #leave(session: Session, contact: Jid): Promise<void> {
    const { broadcast, context } = this.#options;
    const present = context.sessions.of(contact).filter(({ available }) => available);
    if (present.length === 0 || !(await broadcast.mayReach(contact, session.account))) return;
    for (const { jid } of present) {
      await deliver(context.journal, [session], presence({ from: jid, to: session.jid, type: 'unavailable' }));
    }
  }
}

const isAmong = (account: Jid, jids: ViewChange['viewers']): boolean =>
  jids === 'everyone' || jids.some((jid) => jid.equals(account));
