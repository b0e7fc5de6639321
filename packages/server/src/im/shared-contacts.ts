import type { Jid } from '@parley/xmpp/jid';
import type { GroupViews } from '../auth/groups/group-views.ts';
import type { Sessions } from '../session/sessions.ts';
import type { RosterItem } from './roster-item.ts';
import { isFrom, isTo, subscriptionOf } from './subscription-state.ts';

/** Contacts that nobody has added: those whom groups put into rosters, and whose presence goes without subscriptions. */
export class SharedContacts {
  readonly #views: GroupViews;
  readonly #sessions: Pick<Sessions, 'accountsOf'>;

  constructor(views: GroupViews, sessions: Pick<Sessions, 'accountsOf'>) {
    this.#views = views;
    this.#sessions = sessions;
  }

  /** The viewer has the contact in its roster, and sees its presence, because of a group. */
  sees(viewer: Jid, contact: Jid): boolean {
    return this.#views.sees(viewer, contact);
  }

  of(account: Jid): SharedView {
    return new SharedView(account.bare, this.#views, this.#sessions);
  }
}

/** What groups put into the roster of one account; nothing is kept of it. */
export class SharedView {
  readonly account: Jid;
  readonly #views: GroupViews;
  readonly #sessions: Pick<Sessions, 'accountsOf'>;

  constructor(account: Jid, views: GroupViews, sessions: Pick<Sessions, 'accountsOf'>) {
    this.account = account;
    this.#views = views;
    this.#sessions = sessions;
  }

  /** Whether there can be anybody. */
  get any(): boolean {
    return this.#views.any;
  }

  sees(contact: Jid): boolean {
    return this.#views.sees(this.account, contact);
  }

  isSeenBy(contact: Jid): boolean {
    return this.#views.sees(contact, this.account);
  }

  /** Whom the account sees, each once. */
  *contacts(): Generator<Jid, void, undefined> {
    for (const { jid } of this.#views.contactsOf(this.account)) yield jid;
  }

  /** Who sees the account, each once; of a whole domain those who are there. */
  viewers(): Iterable<Jid> {
    return this.#views.viewersOf(this.account, (domain) => this.#sessions.accountsOf(domain));
  }

  /** See `GroupViews.versionFor`. */
  get version(): string | undefined {
    return this.#views.versionFor(this.account);
  }

  /** The item of a contact, be it the account's own, a group's, or both. */
  item(contact: Jid, own: RosterItem | undefined): RosterItem | undefined {
    if (!this.any) return own;
    const { name, labels } = this.#views.seen(this.account, contact);
    const to = labels.length > 0;
    const from = this.isSeenBy(contact);
    if (own === undefined) return to ? shared(contact.bare, from, name, labels) : undefined;
    if (!to && !from) return own;
    return {
      ...own,
      subscription: subscriptionOf(to || isTo(own.subscription), from || isFrom(own.subscription)),
      ask: own.ask && !to,
      name: own.name ?? name,
      groups: [...new Set([...labels, ...own.groups])],
    };
  }

  /** What is the account's own in a name and groups that its client has chosen. */
  ownPart(contact: Jid, name: string | undefined, groups: readonly string[]): Pick<RosterItem, 'name' | 'groups'> {
    const given = this.#views.seen(this.account, contact);
    return {
      name: name === given.name ? undefined : name,
      groups: groups.filter((group) => !given.labels.includes(group)),
    };
  }
}

function shared(jid: Jid, from: boolean, name: string | undefined, groups: readonly string[]): RosterItem {
  return { jid, subscription: subscriptionOf(true, from), ask: false, approved: false, name, groups, version: 0 };
}
