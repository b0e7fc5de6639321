import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import * as z from 'zod';
import { count } from '../../config/option.ts';
import { PresenceBroadcast } from '../../im/presence-broadcast.ts';
import { defineModule } from '../../module.ts';
import { Dropped } from '../../pipeline.ts';
import type { Session } from '../../session/session.ts';
import { BlockingRequests } from './blocking-requests.ts';
import type { Blocklist } from './blocklist.ts';
import { blocklistPart } from './blocklist-part.ts';
import { BlocklistStore, blocklistKeys } from './blocklist-store.ts';

const options = z.object({
  maxItems: count(1000, {
    live: true,
    metric: 'blocklist-items',
    max: 10_000,
    description: 'Addresses that one account may block.',
  }),
});

/** XEP-0191: nothing passes between an account and whom it has blocked, and to them it is never there. */
export default defineModule({
  name: 'blocking',
  description: 'Lets users block others (XEP-0191).',
  xeps: [{ number: 191, version: '1.3' }],
  features: [NS.blocking],
  accountFeatures: [NS.blocking],
  options,
  keys: [blocklistKeys],
  parts: [blocklistPart],
  setup(context) {
    const { hooks, iq, sessions, isLocal } = context;
    const store = new BlocklistStore(context.keyspace);
    const dropped = context.metrics.stanzasDropped.with({ cause: 'blocked' });
    /** The lists of accounts with sessions here, those alone that block anybody. */
    const online = new Map<string, Blocklist>();
    const keep = (account: Jid, list: Blocklist) => {
      if (list.size > 0 && sessions.here(account).length > 0) online.set(account.bareText, list);
      else online.delete(account.bareText);
    };

    // §4: never between the account's own resources. The server itself must stay within reach.
    const blocks = (list: Blocklist, account: Jid, jid: Jid) =>
      list.blocks(jid) && jid.bareText !== account.bareText && !(jid.local === '' && isLocal(jid));

    const checkOut = (list: Blocklist, account: Jid, to: Jid | undefined) => {
      if (to !== undefined && blocks(list, account, to)) throw refusal();
    };
    hooks.fromClient.use('guard', (stanza, { account }) => {
      const { to } = stanza;
      if (to === undefined && stanza.kind !== 'presence') return; // for the server; presence goes to contacts
      const list = store.cached(account) ?? store.get(account);
      if (list instanceof Promise) return list.then((read) => checkOut(read, account, to));
      checkOut(list, account, to);
    });

    const checkIn = (list: Blocklist, account: Jid, stanza: Stanza) => {
      const { from } = stanza;
      if (from === undefined || !blocks(list, account, from)) return;
      // §3.3: requests and messages are refused, all else vanishes
      if (stanza.kind !== 'presence' && stanza.type !== 'error' && stanza.type !== 'result') {
        throw new StanzaError('service-unavailable');
      }
      dropped.increment();
      throw new Dropped();
    };
    hooks.toAccount.use('guard', (stanza, { account }) => {
      const list = store.cached(account) ?? store.get(account);
      if (list instanceof Promise) return list.then((read) => checkIn(read, account, stanza));
      checkIn(list, account, stanza);
    });

    // what took another way: stored before the block, or presence that the server itself hands out
    hooks.toSession.use('deliver', (stanza, session) => {
      if (online.size === 0 || stanza.from === undefined || stanza.type === 'error') return false;
      const list = online.get(session.account.bareText);
      if (list === undefined || !blocks(list, session.account, stanza.from)) return false;
      dropped.increment();
      return true;
    });

    const broadcast = context.use(PresenceBroadcast);
    broadcast.addRule((account, contact) => {
      const list = online.get(account.bareText) ?? store.cached(account);
      return list === undefined || !blocks(list, account, contact);
    });
    broadcast.addLookup(async (account, contact) => !blocks(await store.get(account), account, contact));

    const requests = new BlockingRequests(context, store, keep);
    iq.get(NS.blocking, 'blocklist', (_, request) => requests.get(request), { at: ['account'] });
    iq.set(NS.blocking, 'block', (_, request) => requests.block(request), { at: ['account'] });
    iq.set(NS.blocking, 'unblock', (_, request) => requests.unblock(request), { at: ['account'] });

    hooks.events.on('session.bound', async ({ account }) => keep(account, await store.get(account)));
    const letGo = ({ account }: Session) => {
      if (sessions.here(account).length === 0) online.delete(account.bareText);
    };
    hooks.events.on('session.unbound', letGo);
    hooks.events.on('session.moved', letGo);
    hooks.events.on('account.removed', (account) => store.forget(account));
    hooks.events.on('account.moved', (account) => store.forget(account));
    context.peers.on('account', (text) => store.forget(Jid.parse((JSON.parse(text) as { account: string }).account)));
    context.peers.on('blocklist', (text) => requests.changedElsewhere(text));
  },
});

/** §3.3: the user has blocked whom they write to. */
function refusal(): StanzaError {
  return new StanzaError('not-acceptable', {
    type: 'cancel',
    application: Element.of('blocked', NS.blockingErrors),
  });
}
