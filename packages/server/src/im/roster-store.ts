import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import type { Jid } from '@parley/xmpp/jid';
import type { Awaitable } from '../pipeline.ts';
import { AccountRoster } from './account-roster.ts';
import { changeRoster, HEAD, readHead } from './operations/change-roster.ts';
import { decodeItem, encodeItem, type RosterItem } from './roster-item.ts';
import type { SharedContacts } from './shared-contacts.ts';

export const rosterKeys = declareKeys({
  name: 'roster',
  type: 'hash',
  content:
    'contact → the roster version of its last change, subscription (n, t, f or b; ? asked, + pre-approved), name and ' +
    'groups, with NUL between them; # → the roster version and that of the last removal',
  bound: 'roster.maxItems',
  ttl: 'none',
});

export const requestKeys = declareKeys({
  name: 'subscription-requests',
  type: 'hash',
  content: 'contact or stranger → the subscription request that waits for an answer, as XML',
  bound: 'roster.maxRequests of roster.maxRequestBytes each',
  ttl: 'none',
});

export interface RosterStoreOptions {
  readonly keyspace: Keyspace;
  /** Whether the account has a session here: only then its roster is kept decoded. */
  isOnline(account: Jid): boolean;
  limits(): { readonly maxItems: number; readonly maxRequests: number };
  /** What groups add to rosters. */
  readonly shared?: SharedContacts;
  /** A roster was changed. The change is done when the promise, if there is one, resolves: then others know of it. */
  onChange?(account: Jid): Promise<void> | undefined;
  /** Contacts that are kept decoded, of all accounts together. */
  readonly mostCachedItems?: number;
}

/** What shall become of a contact; what is left out stays as it is. */
export interface RosterWish {
  /** `remove`, or what the item shall be. */
  readonly item?: 'remove' | Omit<RosterItem, 'jid' | 'version'>;
  /** `remove`, or the request that shall wait from now on, as XML. */
  readonly request?: 'remove' | string;
}

export interface RosterChange {
  /** `unchanged`: nothing was wished for; `items` and `requests`: there are as many as there may be. */
  readonly outcome: 'done' | 'unchanged' | 'items' | 'requests';
  readonly before: RosterItem | undefined;
  readonly after: RosterItem | undefined;
  /** What clients see of the contact from now on, with what groups add. */
  readonly shown: RosterItem | undefined;
  /** The version of the roster after the change. */
  readonly version: number;
}

/** How often a change begins anew since another node has changed the same contact meanwhile. */
const ATTEMPTS = 20;
const MOST_CACHED_ITEMS = 500_000;

/** The rosters of all accounts, and the subscription requests that wait for them. */
export class RosterStore {
  readonly #options: RosterStoreOptions;
  readonly #mostCachedItems: number;
  /** In the order in which they were read, the oldest first. */
  readonly #cache = new Map<string, AccountRoster>();
  #cachedItems = 0;
  readonly #loading = new Map<string, Promise<AccountRoster>>();
  /** The last change of each account that is under way: the next one waits for it. */
  readonly #changing = new Map<string, Promise<void>>();

  constructor(options: RosterStoreOptions) {
    this.#options = options;
    this.#mostCachedItems = options.mostCachedItems ?? MOST_CACHED_ITEMS;
  }

  /** The account's roster; at once where it has sessions here and was asked for before. It changes as the roster does. */
  get(account: Jid): Awaitable<AccountRoster> {
    const key = account.bareText;
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      const begun: Promise<AccountRoster> = this.#load(account, () => this.#loading.get(key) === begun).finally(() => {
        if (this.#loading.get(key) === begun) this.#loading.delete(key);
      });
      loading = begun;
      this.#loading.set(key, begun);
    }
    return loading;
  }

  /** Whether the contact gets the account's presence; at once where a group says so. */
  isSubscriber(account: Jid, contact: Jid): Awaitable<boolean> {
    if (this.#options.shared?.sees(contact, account)) return true;
    const roster = this.get(account);
    return roster instanceof Promise ? roster.then((read) => read.isSubscriber(contact)) : roster.isSubscriber(contact);
  }

  /** What is the account's own in a name and groups that its client has chosen for a contact. */
  ownPart(account: Jid, contact: Jid, name: string | undefined, groups: readonly string[]) {
    return this.#options.shared?.of(account).ownPart(contact, name, groups) ?? { name, groups };
  }

  async #load(account: Jid, isCurrent: () => boolean): Promise<AccountRoster> {
    const { bareText } = account;
    const [fields, requests] = await this.#options.keyspace.batch(
      [
        ['hgetall', rosterKeys.key(bareText)],
        ['hgetall', requestKeys.key(bareText)],
      ],
      { atomic: true },
    );
    const [version, removalVersion] = readHead(fields.get(HEAD));
    fields.delete(HEAD);
    const items = new Map<string, RosterItem>();
    for (const [contact, kept] of fields) {
      const item = decodeItem(contact, kept);
      items.set(item.jid.bareText, item);
    }
    const shared = this.#options.shared?.of(account);
    const roster = new AccountRoster(items, new Set(requests.keys()), version, removalVersion, shared);
    // not what was read before another node told of a change
    if (isCurrent() && this.#options.isOnline(account)) this.#keep(bareText, roster);
    return roster;
  }

  #keep(key: string, roster: AccountRoster): void {
    this.#cache.set(key, roster);
    this.#cachedItems += roster.size;
    for (const [oldest] of this.#cache) {
      if (this.#cachedItems <= this.#mostCachedItems || oldest === key) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const roster = this.#cache.get(key);
    if (roster === undefined) return;
    this.#cache.delete(key);
    this.#cachedItems -= roster.size;
  }

  /** Lets go of what is kept decoded: the account has no session here anymore, or another node changed its roster. */
  forget(account: Jid): void {
    this.#drop(account.bareText);
    this.#loading.delete(account.bareText);
  }

  /** What waits for the account's answer: by contact, the request as XML. */
  requests(account: Jid): Promise<Map<string, Buffer>> {
    return this.#options.keyspace.hgetall(requestKeys.key(account.bareText));
  }

  /**
   * Changes one contact, atomically. `decide` sees its item and whether a request waits from it, and may be asked more
   * than once; undefined leaves all as it is, and what it throws ends the change. Changes of one account follow one
   * another. Resolves when the change is committed.
   */
  change(
    account: Jid,
    contact: Jid,
    decide: (item: RosterItem | undefined, requestWaits: boolean) => RosterWish | undefined,
  ): Promise<RosterChange> {
    const key = account.bareText;
    const before = this.#changing.get(key);
    const work = () => this.#change(account, contact, decide);
    const change = before === undefined ? work() : before.then(work);
    const done = change.then(nothing, nothing).then(() => {
      if (this.#changing.get(key) === done) this.#changing.delete(key);
    });
    this.#changing.set(key, done);
    return change;
  }

  async #change(account: Jid, contact: Jid, decide: Parameters<RosterStore['change']>[2]): Promise<RosterChange> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const roster = await this.get(account);
      const before = roster.get(contact);
      const waits = roster.requests.has(contact.bareText);
      const wish = decide(before, waits);
      if (wish?.item === undefined && wish?.request === undefined) {
        return { outcome: 'unchanged', before, after: before, shown: roster.shown(contact), version: roster.version };
      }
      const { outcome, version } = await this.#call(account, contact, before, waits, wish);
      if (outcome === 'done') {
        const change = this.#apply(account, roster, contact, wish, version);
        await this.#options.onChange?.(account);
        return change;
      }
      if (outcome !== 'stale') {
        return { outcome, before, after: before, shown: roster.shown(contact), version: roster.version };
      }
      this.forget(account);
    }
    throw new KeyspaceError('slow', 'A roster changes too often elsewhere to be changed here.');
  }

  async #call(account: Jid, contact: Jid, before: RosterItem | undefined, waits: boolean, wish: RosterWish) {
    const { maxItems, maxRequests } = this.#options.limits();
    const { item = '', request = '' } = wish;
    try {
      return await this.#options.keyspace.call(
        changeRoster,
        [rosterKeys.key(account.bareText), requestKeys.key(account.bareText)],
        [
          contact.bareText,
          before?.version ?? '',
          waits ? 1 : 0,
          item === 'remove' ? '-' : item === '' ? '' : encodeItem(item),
          request === 'remove' ? '-' : request,
          Math.min(maxItems, Number.MAX_SAFE_INTEGER),
          Math.min(maxRequests, Number.MAX_SAFE_INTEGER),
        ],
      );
    } catch (error) {
      this.forget(account); // it may have been changed all the same
      throw error;
    }
  }

  #apply(account: Jid, roster: AccountRoster, contact: Jid, wish: RosterWish, version: number): RosterChange {
    const before = roster.get(contact);
    const size = roster.size;
    if (wish.item === 'remove') roster.remove(contact, version);
    // read back from bytes: names and groups are pieces of a larger text that came in
    else if (wish.item) roster.put(decodeItem(contact.bareText, Buffer.from(`${version}\0${encodeItem(wish.item)}`)));
    if (wish.request !== undefined) roster.setRequest(contact, wish.request !== 'remove');
    const cached = this.#cache.get(account.bareText);
    if (cached === roster) this.#cachedItems += roster.size - size;
    else if (cached !== undefined) this.forget(account); // it was read before this change, by somebody who came online
    const [after, shown] = [roster.get(contact), roster.shown(contact)];
    return { outcome: 'done', before, after, shown, version: roster.version };
  }
}

const nothing = () => {};
