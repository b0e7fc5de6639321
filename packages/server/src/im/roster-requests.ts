import type { LimitName } from '@parley/metrics/catalogue';
import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { presence } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { ModuleContext } from '../module.ts';
import type { Session } from '../session/session.ts';
import type { AccountRoster } from './account-roster.ts';
import type { PresenceBroadcast } from './presence-broadcast.ts';
import { itemElement, type RosterItem, removedItemElement } from './roster-item.ts';
import type { RosterPushes } from './roster-pushes.ts';
import { readRosterSet } from './roster-set.ts';
import type { RosterStore } from './roster-store.ts';
import { readVersion, versionText } from './roster-version.ts';
import { isFrom, isTo, type Subscription } from './subscription-state.ts';

/** What clients ask of their rosters. */
export class RosterRequests {
  readonly #context: ModuleContext;
  readonly #store: RosterStore;
  readonly #pushes: RosterPushes;
  readonly #broadcast: PresenceBroadcast;

  constructor(context: ModuleContext, store: RosterStore, pushes: RosterPushes, broadcast: PresenceBroadcast) {
    this.#context = context;
    this.#store = store;
    this.#pushes = pushes;
    this.#broadcast = broadcast;
  }

  /** §2.2 */
  async get(query: Element, session: Session): Promise<Element | undefined> {
    const roster = await this.#store.get(session.account);
    session.interested = true;
    const { versioning } = this.#context.config().roster;
    const shared = roster.sharedVersion;
    this.#pushes.knows(session, shared);
    const known = versioning ? query.attr('ver') : undefined;
    if (known !== undefined && this.#catchUp(session, roster, known)) return undefined;
    const ver = versioning ? versionText(roster.version, shared) : undefined;
    const all = this.#all(roster, (limit) => session.stream.host.onLimit(session.stream, limit));
    return Element.of('query', NS.roster, { ver }, ...all);
  }

  /** The whole roster, for somebody who is no client of the account. */
  async whole(account: Jid, onLimit: (limit: LimitName) => void): Promise<Element> {
    return Element.of('query', NS.roster, {}, ...this.#all(await this.#store.get(account), onLimit));
  }

  #all(roster: AccountRoster, onLimit: (limit: LimitName) => void): Element[] {
    const { maxSharedItems } = this.#context.config().roster;
    const items: Element[] = [];
    for (const item of roster.allShown()) {
      if (items.length >= roster.size + maxSharedItems) {
        onLimit('roster-shared-items');
        break;
      }
      items.push(itemElement(item));
    }
    this.#context.metrics.rosterSize.record(items.length);
    return items;
  }

  /** §2.6.2: where little has changed since what the client has, it gets that alone. */
  #catchUp(session: Session, roster: AccountRoster, known: string): boolean {
    const version = readVersion(known);
    if (version === undefined || version.shared !== roster.sharedVersion) return false;
    const changed = roster.changedSince(version.own);
    // a push is about three times as long as an item in the whole roster
    if (changed === undefined || changed.length * 3 > roster.size) return false;
    if (changed.length > 0) {
      this.#pushes.afterAnswer(session, () =>
        changed
          .filter((item) => roster.get(item.jid) === item)
          .map((item) => [itemElement(roster.shown(item.jid) ?? item), item.version]),
      );
    }
    return true;
  }

  /** §2.3 to §2.5 */
  set(query: Element, session: Session): Promise<undefined> {
    return this.change(query, session.account, (limit) => session.stream.host.onLimit(session.stream, limit));
  }

  /** `vouched`: the subscription that a contact is to have, where somebody who speaks for it says so. */
  async change(
    query: Element,
    account: Jid,
    onLimit: (limit: LimitName) => void,
    vouched: (contact: Jid) => Subscription | undefined = () => undefined,
  ): Promise<undefined> {
    const { config } = this.#context;
    const { contact, remove, ...chosen } = readRosterSet(query, account, { ...config().roster, onLimit });
    const isShared = (await this.#store.get(account)).isShared(contact);
    if (remove) return isShared ? refuse() : this.#remove(account, contact);
    const { name, groups } = this.#store.ownPart(account, contact, chosen.name, chosen.groups);
    const given = vouched(contact);
    const { before, outcome, shown, version } = await this.#store.change(account, contact, (known) => {
      const { subscription = 'none', ask = false, approved = false } = known ?? {};
      const asks = ask && (given === undefined || !isTo(given));
      const item = { subscription: given ?? subscription, ask: asks, approved, name, groups };
      if (!isShared || !isNothing(item)) return { item };
      return known && { item: 'remove' }; // all of it is the group's
    });
    if (outcome === 'items') {
      onLimit('roster-items');
      throw new StanzaError('resource-constraint', { type: 'cancel', text: 'The roster is full.' });
    }
    this.#context.metrics.rosterChanges.with({ action: 'set' }).increment();
    await this.#pushes.push(account, itemElement(shown as RosterItem), version);
    this.#context.hooks.events.emit('roster.changed', account, contact);
    if (given === undefined) return;
    const saw = before !== undefined && isFrom(before.subscription);
    if (isFrom(given) && !saw) await this.#broadcast.announce(account, contact);
    if (saw && !isFrom(given)) await this.#broadcast.withdraw(account, contact);
  }

  /** §2.5.2 */
  async #remove(account: Jid, contact: Jid): Promise<undefined> {
    let requestWaits = false;
    const { before, shown, version } = await this.#store.change(account, contact, (item, waits) => {
      if (item === undefined) throw new StanzaError('item-not-found', { text: 'This is none of your contacts.' });
      requestWaits = waits;
      return { item: 'remove', request: 'remove' };
    });
    this.#context.metrics.rosterChanges.with({ action: 'remove' }).increment();
    await this.#pushes.push(account, shown === undefined ? removedItemElement(contact) : itemElement(shown), version);
    this.#context.hooks.events.emit('roster.changed', account, contact);
    await this.#part(account, contact, before, requestWaits);
  }

  /** Ends every relation to a contact that is gone from the roster, or that had only asked to be in it. */
  async #part(account: Jid, contact: Jid, item: RosterItem | undefined, requestWaits: boolean): Promise<void> {
    const { router } = this.#context;
    const wasFrom = item !== undefined && isFrom(item.subscription);
    if (wasFrom) await this.#broadcast.withdraw(account, contact);
    if (item !== undefined && (isTo(item.subscription) || item.ask)) {
      await router.route(presence({ from: account, to: contact, type: 'unsubscribe' }));
    }
    if (wasFrom || requestWaits) {
      await router.route(presence({ from: account, to: contact, type: 'unsubscribed' }));
    }
  }

  /** The account is about to be removed: nobody shall take whoever gets its name for the same person. */
  async end(account: Jid): Promise<void> {
    const roster = await this.#store.get(account);
    const contacts = [...roster.items];
    const strangers = [...roster.requests].filter((contact) => roster.get(Jid.parse(contact)) === undefined);
    for (const item of contacts) await this.#part(account, item.jid, item, roster.requests.has(item.jid.bareText));
    for (const stranger of strangers) await this.#part(account, Jid.parse(stranger), undefined, true);
  }
}

/**
 * RFC 6121 §2.3.3 names no error for this: `forbidden` is for those who are not the owner, `not-acceptable` for names that
 * are no names. `not-allowed` says that nobody may do it (RFC 6120 §8.3.3.10).
 */
function refuse(): never {
  throw new StanzaError('not-allowed', { text: 'A group of the directory has put this contact into the roster.' });
}

/** Whether nothing would be lost with the item. */
const isNothing = ({ subscription, ask, approved, name, groups }: Omit<RosterItem, 'jid' | 'version'>): boolean =>
  subscription === 'none' && !ask && !approved && name === undefined && groups.length === 0;
