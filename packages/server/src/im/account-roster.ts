import type { Jid } from '@parley/xmpp/jid';
import type { RosterItem } from './roster-item.ts';
import { isFrom, isTo } from './subscription-state.ts';

/** The version of a roster that was never changed. */
export const UNCHANGED = 0;

/** The roster of one account, decoded. Only the store changes it, once the change is committed. */
export class AccountRoster {
  readonly #items: Map<string, RosterItem>;
  readonly #requests: Set<string>;
  #version: number;
  #removalVersion: number;
  #subscribers: readonly RosterItem[] | undefined;
  #subscriptions: readonly RosterItem[] | undefined;

  /** `requests`: the contacts that have asked for the account's presence and wait for an answer. */
  constructor(items: Map<string, RosterItem>, requests: Set<string>, version: number, removalVersion: number) {
    this.#items = items;
    this.#requests = requests;
    this.#version = version;
    this.#removalVersion = removalVersion;
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

  /** The contact gets the account's presence. */
  isSubscriber(contact: Jid): boolean {
    const item = this.#items.get(contact.bareText);
    return item !== undefined && isFrom(item.subscription);
  }

  /** The contacts that get the account's presence. */
  get subscribers(): readonly RosterItem[] {
    this.#subscribers ??= [...this.#items.values()].filter(({ subscription }) => isFrom(subscription));
    return this.#subscribers;
  }

  /** The contacts whose presence the account gets. */
  get subscriptions(): readonly RosterItem[] {
    this.#subscriptions ??= [...this.#items.values()].filter(({ subscription }) => isTo(subscription));
    return this.#subscriptions;
  }

  /**
   * The items that changed after a version, in the order of their changes; undefined where that version is not known
   * for sure (anymore), or where something was removed since.
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
