import { Element } from '@parley/xmpp/element';
import { forwarded } from '@parley/xmpp/forwarded';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { message, type Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { AccountContext } from '../../hooks.ts';
import { Waits } from '../../im/waits.ts';
import type { IqHandler } from '../../iq.ts';
import { defineModule } from '../../module.ts';
import type { Awaitable } from '../../pipeline.ts';
import { deliver } from '../../routing/deliver.ts';
import type { Journal } from '../../session/journal.ts';
import { isKept } from '../../session/kept.ts';
import { COPY, isUnordered } from '../../session/origins.ts';
import { RemoteSession } from '../../session/remote-session.ts';
import type { Route, Session } from '../../session/session.ts';
import { isEligible } from './eligibility.ts';
import { SentMessages } from './sent-messages.ts';

/** XEP-0280: all clients of an account see both sides of its conversations. */
export default defineModule({
  name: 'carbons',
  description: 'Copies conversations to all clients of an account (XEP-0280).',
  xeps: [
    { number: 280, version: '1.0.1' },
    { number: 297, version: '1.0', note: 'Copies of conversations are forwarded so.' },
  ],
  features: [NS.carbons, NS.carbonsRules],
  accountFeatures: [NS.carbons, NS.carbonsRules],
  setup({ hooks, iq, features, sessions, journal }) {
    const sent = new SentMessages();

    const turn =
      (on: boolean): IqHandler =>
      (_, { sender }) => {
        if (sender === undefined) throw new StanzaError('not-allowed'); // §4.1
        sender.carbons = on;
        return undefined;
      };
    iq.set(NS.carbons, 'enable', turn(true), { at: ['account'] });
    iq.set(NS.carbons, 'disable', turn(false), { at: ['account'] });
    // XEP-0386, "Performing the bind": there is nothing to answer
    features.add({
      ns: NS.carbons,
      inBind2({ stream }, { name }) {
        const session = sessions.on(stream);
        if (session !== undefined && name === 'enable') session.carbons = true;
        return [];
      },
    });

    // §8
    hooks.fromClient.use('observe', (stanza, session) => {
      if (stanza.kind !== 'message' || stanza.to === undefined) return;
      const routes = sessions.of(session.account);
      // what goes to the account itself is copied when it arrives there
      if (!isWanted(routes, NOBODY, session) || stanza.to.bareText === session.account.bareText) return;
      if (!isEligible(stanza, false)) return;
      sent.add(session, stanza);
      return copy(journal, session.account, 'sent', stanza, routes, NOBODY, session);
    });

    // §7
    hooks.toAccount.use('observe', (stanza, context) => {
      const { account, routes, targets, sender } = context;
      if (stanza.kind !== 'message' || !isWanted(routes, targets, sender)) return;
      if (targets.length === 0 && !isKept(stanza)) return; // nobody gets it, now or later
      if (stanza.type === 'error' ? !isAnswer(stanza, context) : !isEligible(stanza, true)) return;
      return copy(journal, account, 'received', stanza, routes, targets, sender);
    });

    /** §6.1: the error answers a message that was copied. */
    const isAnswer = (stanza: Stanza, { targets }: AccountContext) => {
      const target = targets[0] && sessions.get(targets[0].jid);
      return target !== undefined && !(target instanceof RemoteSession) && sent.isAnsweredBy(target, stanza);
    };
  },
});

const NOBODY: readonly Route[] = [];

/** Whether any resource wants copies that has not got the message, nor sent it. */
function isWanted(routes: readonly Route[], targets: readonly Route[], sender: Session | undefined): boolean {
  for (const route of routes) if (getsCopy(route, targets, sender)) return true;
  return false;
}

const getsCopy = (route: Route, targets: readonly Route[], sender: Session | undefined): boolean =>
  route.carbons && route.sessionId !== sender?.sessionId && !targets.includes(route);

/** Sends each resource that wants it a copy in the name of the account, serialised once. */
function copy(
  journal: Journal,
  account: Jid,
  name: 'sent' | 'received',
  stanza: Stanza,
  routes: readonly Route[],
  targets: readonly Route[],
  sender: Session | undefined,
): Awaitable<void> {
  const { type, origin } = stanza;
  const content = Element.of(name, NS.carbons, {}, forwarded(stanza));
  // a message that is sent again after a crash is not copied again
  const copied = origin && !isUnordered(origin) ? { ...origin, effect: COPY } : undefined;
  const wrapping = message({ from: account, type }, content).withOrigin(copied);
  const sent = new Waits();
  for (const route of routes) {
    if (!getsCopy(route, targets, sender)) continue;
    const taken = deliver(journal, [route], wrapping.withTo(route.jid));
    if (taken instanceof Promise) sent.add(taken.then(() => undefined));
  }
  return sent.all;
}
