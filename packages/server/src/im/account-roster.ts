import type { Jid } from '@parley/xmpp/jid';
import type { RosterItem } from './roster-item.ts';
import type { SharedView } from './shared-contacts.ts';
import { isFrom, isTo } from './subscription-state.ts';

/** The version of a roster that was never changed. */
export const UNCHANGED = 0;

/**
 * The roster of one account, decoded. Only the store changes it, once the change is committed. `items`, `get`, `size`
 * and versions are about what the account keeps itself; all else is about that and what groups add to it.
 */
export class AccountRoster {
  readonly #items: Map<string, RosterItem>;
  readonly #requests: Set<string>;
  #version: number;
  #removalVersion: number;
  #subscribers: readonly Jid[] | undefined;
  #subscriptions: readonly Jid[] | undefined;
  readonly #shared: SharedView | undefined;

  /** `requests`: the contacts that have asked for the account's presence and wait for an answer. */
  constructor(
    items: Map<string, RosterItem>,
    requests: Set<string>,
    version: number,
    removalVersion: number,
    shared?: SharedView,
  ) {
    this.#items = items;
    this.#requests = requests;
    this.#version = version;
    this.#removalVersion = removalVersion;
    this.#shared = shared;
  }

  /** Grows with every change of an item. */
  get version(): number {
    return this.#version;
  }

  get size(): number {
    return this.#items.size;
  }

  get items(): IterableIterator<RosterItem> {
    return this.#items.values();
  }

  /** Those who have asked for the account's presence and wait: bare JIDs, of contacts and of strangers. */
  get requests(): ReadonlySet<string> {
    return this.#requests;
  }

  get(contact: Jid): RosterItem | undefined {
    return this.#items.get(contact.bareText);
  }

  /** What a client sees of the contact. */
  shown(contact: Jid): RosterItem | undefined {
    const own = this.get(contact);
    return this.#shared === undefined ? own : this.#shared.item(contact, own);
  }

  /** All that a client sees: first what is the account's own. */
  *allShown(): Generator<RosterItem, void, undefined> {
    for (const { jid } of this.#items.values()) yield this.shown(jid) as RosterItem;
    for (const jid of this.#shared?.contacts() ?? []) {
      const item = this.#items.has(jid.bareText) ? undefined : this.#shared?.item(jid, undefined);
      if (item !== undefined) yield item;
    }
  }

  /** The contact is in the roster because of a group, whether it is the account's own besides or not. */
  isShared(contact: Jid): boolean {
    return this.#shared?.sees(contact) === true;
  }

  /** The contact gets the account's presence because of a group, whether it has subscribed besides or not. */
  isSharedWith(contact: Jid): boolean {
    return this.#shared?.isSeenBy(contact) === true;
  }

  has(contact: Jid): boolean {
    return this.#items.has(contact.bareText) || this.isShared(contact);
  }

  /** The contact gets the account's presence. */
  isSubscriber(contact: Jid): boolean {
    const item = this.#items.get(contact.bareText);
    return (item !== undefined && isFrom(item.subscription)) || this.isSharedWith(contact);
  }

  /** The account gets the contact's presence. */
  isSubscribed(contact: Jid): boolean {
    const item = this.#items.get(contact.bareText);
    return (item !== undefined && isTo(item.subscription)) || this.isShared(contact);
  }

  /** The contacts that get the account's presence. */
  get subscribers(): Iterable<Jid> {
    this.#subscribers ??= this.#own(isFrom);
    return this.#shared?.any ? this.#with(this.#subscribers, this.#shared.viewers(), isFrom) : this.#subscribers;
  }

  /** The contacts whose presence the account gets. */
  get subscriptions(): Iterable<Jid> {
    this.#subscriptions ??= this.#own(isTo);
    return this.#shared?.any ? this.#with(this.#subscriptions, this.#shared.contacts(), isTo) : this.#subscriptions;
  }

  #own(has: (subscription: RosterItem['subscription']) => boolean): Jid[] {
    return [...this.#items.values()].filter(({ subscription }) => has(subscription)).map(({ jid }) => jid);
  }

  *#with(
    own: readonly Jid[],
    shared: Iterable<Jid>,
    has: (subscription: RosterItem['subscription']) => boolean,
  ): Generator<Jid, void, undefined> {
    yield* own;
    for (const jid of shared) {
      const item = this.#items.get(jid.bareText);
      if (item === undefined || !has(item.subscription)) yield jid;
    }
  }

  /** Changes with everything that groups add; undefined where they add nothing. */
  get sharedVersion(): string | undefined {
    return this.#shared?.version;
  }

  /**
   * The account's own items that changed after a version, in the order of their changes; undefined where that version is
   * not known for sure (anymore), or where something was removed since.
   */
  changedSince(version: number): RosterItem[] | undefined {
    if (version === this.#version) return [];
    if (version < this.#removalVersion) return undefined;
    let known = version === this.#removalVersion;
    const changed: RosterItem[] = [];
    for (const item of this.#items.values()) {
      if (item.version === version) known = true;
      else if (item.version > version) changed.push(item);
    }
    return known ? changed.sort((a, b) => a.version - b.version) : undefined;
  }

  /** An item was set. */
  put(item: RosterItem): void {
    this.#items.set(item.jid.bareText, item);
    this.#changed(item.version);
  }

  /** An item was removed, which made this version. */
  remove(contact: Jid, version: number): void {
    this.#items.delete(contact.bareText);
    this.#removalVersion = version;
    this.#changed(version);
  }

  /** A request began or ceased to wait. */
  setRequest(contact: Jid, waiting: boolean): void {
    if (waiting) this.#requests.add(contact.bareText);
    else this.#requests.delete(contact.bareText);
  }

  #changed(version: number): void {
    this.#version = version;
    this.#subscribers = undefined;
    this.#subscriptions = undefined;
  }
}
