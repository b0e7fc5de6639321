import { randomBytes } from 'node:crypto';
import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { iq, presence } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { AccountRoster } from '../../im/account-roster.ts';
import { PresenceBroadcast } from '../../im/presence-broadcast.ts';
import { PresenceStates } from '../../im/presence-states.ts';
import { RosterStore } from '../../im/roster-store.ts';
import type { IqContext } from '../../iq.ts';
import type { ModuleContext } from '../../module.ts';
import { deliver } from '../../routing/deliver.ts';
import type { Session } from '../../session/session.ts';
import { contactsConcerned, targetsConcerned } from './blocking-audience.ts';
import { Blocklist } from './blocklist.ts';
import type { BlocklistStore } from './blocklist-store.ts';

/** What has become of a list: what the client named, and what of it was not so before. */
interface BlocklistChange {
  readonly action: 'block' | 'unblock';
  readonly wanted: readonly string[];
  readonly changed: readonly string[];
}

/** What clients ask of their blocklist, and what follows from it. */
export class BlockingRequests {
  readonly #context: ModuleContext;
  readonly #store: BlocklistStore;
  readonly #onChange: (account: Jid, list: Blocklist) => void;
  readonly #rosters: RosterStore;
  readonly #broadcast: PresenceBroadcast;
  readonly #states: PresenceStates;
  /** Sessions that have asked for the list: they are told of changes. */
  readonly #interested = new WeakSet<Session>();
  readonly #idPrefix = `block-${randomBytes(6).toString('base64url')}-`;
  #count = 0;

  constructor(context: ModuleContext, store: BlocklistStore, onChange: (account: Jid, list: Blocklist) => void) {
    this.#context = context;
    this.#store = store;
    this.#onChange = onChange;
    this.#rosters = context.use(RosterStore);
    this.#broadcast = context.use(PresenceBroadcast);
    this.#states = context.use(PresenceStates);
  }

  /** XEP-0191 §3.2 */
  async get({ to, sender }: IqContext): Promise<Element> {
    if (sender !== undefined) this.#interested.add(sender);
    const list = await this.#store.get(to);
    return Element.of('blocklist', NS.blocking, {}, ...itemsOf(list.jids));
  }

  /** XEP-0191 §3.3 */
  async block({ to: account, payload, sender }: IqContext): Promise<undefined> {
    const wanted = addressesIn(payload);
    if (wanted.size === 0) throw new StanzaError('bad-request', { text: 'Name whom to block.' });
    const roster = await this.#rosters.get(account);
    const most = this.#context.options().maxItems as number;
    const added = await this.#store.block(account, wanted, most);
    if (added === 'full') {
      sender?.stream.host.onLimit(sender.stream, 'blocklist-items');
      throw new StanzaError('resource-constraint', { type: 'cancel', text: `Up to ${most} addresses can be blocked.` });
    }
    const now = await this.#store.get(account);
    this.#take(account, { action: 'block', wanted: [...wanted], changed: added }, roster, now);
    await this.#tell(account, { action: 'block', wanted: [...wanted], changed: added });
  }

  /** XEP-0191 §3.4 and §3.5 */
  async unblock({ to: account, payload }: IqContext): Promise<undefined> {
    const wanted = addressesIn(payload);
    if (wanted.size === 0 && payload.elements.length > 0) throw new StanzaError('bad-request');
    const roster = await this.#rosters.get(account);
    const removed = await this.#store.unblock(account, wanted);
    const now = await this.#store.get(account);
    this.#take(account, { action: 'unblock', wanted: [...wanted], changed: removed }, roster, now);
    await this.#tell(account, { action: 'unblock', wanted: [...wanted], changed: removed });
    for (const contact of contactsConcerned(roster, parsed(removed), now)) {
      void this.#broadcast.announce(account, contact);
    }
  }

  /** Every node does its part for the sessions that it has. */
  #tell(account: Jid, change: BlocklistChange): Promise<void> | undefined {
    return this.#context.peers.tell('blocklist', JSON.stringify({ account: account.bareText, ...change }));
  }

  /** Another node has changed a list. */
  async changedElsewhere(text: string): Promise<void> {
    const { account: bare, ...change } = JSON.parse(text) as BlocklistChange & { account: string };
    const account = Jid.parse(bare);
    this.#store.forget(account);
    if (this.#context.sessions.here(account).length === 0) return;
    this.#take(account, change, await this.#rosters.get(account), await this.#store.get(account));
  }

  #take(account: Jid, { action, wanted, changed }: BlocklistChange, roster: AccountRoster, now: Blocklist): void {
    this.#push(account, action, new Set(wanted));
    if (action === 'block') {
      this.#withdraw(account, roster, changed, new Blocklist([...now.jids].filter((jid) => !changed.includes(jid))));
    }
    this.#onChange(account, now);
  }

  /** Has those who are blocked now believe that the account is gone; the rule against it is not in force yet. */
  #withdraw(account: Jid, roster: AccountRoster, added: readonly string[], before: Blocklist): void {
    const { sessions, router } = this.#context;
    const contacts = contactsConcerned(roster, parsed(added), before);
    for (const session of sessions.here(account)) {
      const { directed } = this.#states.of(session);
      const targets = targetsConcerned(roster, directed, new Blocklist(added), before);
      for (const to of targets) directed?.delete(to);
      const gone = presence({ from: session.jid, type: 'unavailable' });
      for (const to of session.available ? [...contacts, ...targets] : targets) void router.route(gone.withTo(to));
    }
  }

  /** Tells the clients of the account. */
  #push(account: Jid, name: 'block' | 'unblock', jids: ReadonlySet<string>): void {
    const { sessions, journal } = this.#context;
    const content = Element.of(name, NS.blocking, {}, ...itemsOf(jids));
    const push = iq({ from: account, id: `${this.#idPrefix}${++this.#count}`, type: 'set' }, content);
    for (const session of sessions.here(account)) {
      if (this.#interested.has(session)) void deliver(journal, [session], push.withTo(session.jid));
    }
  }
}

const itemsOf = (jids: Iterable<string>) => [...jids].map((jid) => Element.of('item', NS.blocking, { jid }));

const parsed = (jids: readonly string[]) => jids.map((jid) => Jid.parse(jid));

/** The addresses of a request, prepared, each once. */
function addressesIn(payload: Element): Set<string> {
  const jids = new Set<string>();
  for (const item of payload.elements) {
    if (!item.is('item', NS.blocking)) continue;
    const text = item.attr('jid');
    if (text === undefined) throw new StanzaError('bad-request', { text: 'An item has no address.' });
    const jid = Jid.tryParse(text);
    if (jid === undefined) throw new StanzaError('jid-malformed');
    jids.add(jid.toString());
  }
  return jids;
}
