import type { Jid } from '@parley/xmpp/jid';
import type { Iq, Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { AccountContext } from '../hooks.ts';
import type { IqPlace } from '../iq.ts';
import type { Awaitable, Pipeline } from '../pipeline.ts';
import type { Journal } from '../session/journal.ts';
import { chosenAt } from '../session/origins.ts';
import type { Route, Session } from '../session/session.ts';
import { deliver } from './deliver.ts';
import { selectResources } from './resources.ts';

export interface AccountHost {
  readonly toAccount: Pipeline<Stanza, AccountContext>;
  readonly journal: Journal;
  exists(account: Jid): Awaitable<boolean>;
  routesOf(account: Jid): readonly Route[];
  handleIq(iq: Iq, at: IqPlace, to: Jid, sender: Session | undefined): Awaitable<void>;
}

/** What happens to stanzas for local accounts (RFC 6121 §8.5). */
export class AccountRouting {
  readonly #host: AccountHost;

  constructor(host: AccountHost) {
    this.#host = host;
    host.toAccount.use('deliver', (stanza, context) => this.#toSessions(stanza, context));
  }

  /** Throws, or rejects with, a StanzaError where nobody took the stanza. */
  receive(stanza: Stanza, sender: Session | undefined): Awaitable<void> {
    const account = (stanza.to as Jid).bare;
    const routes = this.#host.routesOf(account);
    if (routes.length > 0) return this.#run(stanza, account, routes, sender);
    const known = isAnsweredAlike(stanza) || this.#host.exists(account);
    if (known instanceof Promise) {
      // somebody may have come meanwhile
      const run = () => this.#run(stanza, account, this.#host.routesOf(account), sender);
      return known.then((exists) => (exists ? run() : notTaken(stanza)));
    }
    return known ? this.#run(stanza, account, routes, sender) : notTaken(stanza);
  }

  #run(stanza: Stanza, account: Jid, routes: readonly Route[], sender: Session | undefined): Awaitable<void> {
    const targets = selectResources(stanza, routes);
    const context = { account, sender, routes, targets, since: performance.now() };
    const taken = this.#host.toAccount.run(stanza, context);
    if (taken instanceof Promise) return taken.then((done) => (done ? undefined : notTaken(stanza)));
    if (!taken) notTaken(stanza);
  }

  #toSessions(stanza: Stanza, context: AccountContext): Awaitable<boolean> {
    // RFC 6121 §8.5.2: the server answers for the account
    if (stanza.kind === 'iq' && stanza.to?.isBare) {
      const answer = this.#host.handleIq(stanza as Iq, 'account', context.account, context.sender);
      return answer instanceof Promise ? answer.then(() => true) : true;
    }
    if (context.targets.length === 0) return false;
    // what comes before this, such as copies, may have waited for other nodes
    return deliver(this.#host.journal, context.targets, chosenAt(stanza, context.since));
  }
}

/**
 * What is answered alike for no account and for one that hides from the asker (RFC 6121 §4.3.2, §8.5.1) goes the same way for both,
 * so that it takes the same time.
 */
const isAnsweredAlike = ({ kind, type }: Stanza): boolean => kind === 'iq' || (kind === 'presence' && type === 'probe');

/** RFC 6121 §8.5.2.2 and §8.5.3.2: nobody is there to take it; that there is no such account (§8.5.1) looks the same. */
function notTaken(stanza: Stanza): void {
  if (stanza.kind === 'presence') return;
  if (stanza.kind === 'message' && (stanza.type === 'headline' || stanza.type === 'error')) return;
  throw new StanzaError('service-unavailable');
}
