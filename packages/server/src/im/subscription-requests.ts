import { randomUUID } from 'node:crypto';
import { presence } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import type { ModuleContext } from '../module.ts';
import { deliver } from '../routing/deliver.ts';
import type { Session } from '../session/session.ts';
import type { RosterStore } from './roster-store.ts';

/** Subscription requests that wait for an answer, when somebody comes who may give or get it. */
export class SubscriptionRequests {
  readonly #context: ModuleContext;
  readonly #store: RosterStore;

  constructor(context: ModuleContext, store: RosterStore) {
    this.#context = context;
    this.#store = store;
  }

  /** A resource has become available. */
  async deliver(session: Session): Promise<void> {
    const roster = await this.#store.get(session.account);
    if (roster.requests.size > 0) await this.#deliverWaiting(session);
    const { sessions } = this.#context;
    if (sessions.of(session.account).some((other) => other !== session && other.available)) return;
    await this.#askAgain(session);
  }

  /** RFC 6121 §3.1.3: what others have asked of the account, each time until it is answered. */
  async #deliverWaiting(session: Session): Promise<void> {
    const texts = await this.#store.requests(session.account);
    for (const text of texts.values()) {
      if (!session.available) return;
      await deliver(this.#context.journal, [session], stanzaFromText(text));
    }
  }

  /** §3.1.2: what the account has asked of others may have been lost on its way. */
  async #askAgain(session: Session): Promise<void> {
    const { account } = session;
    const roster = await this.#store.get(account);
    for (const { jid, ask } of [...roster.items]) {
      if (ask && !roster.isShared(jid))
        await this.#context.router.route(presence({ from: account, to: jid, id: randomUUID(), type: 'subscribe' }));
    }
  }
}
