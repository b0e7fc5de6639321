import { setTimeout as pause } from 'node:timers/promises';
import { isOnlyChatState } from '@parley/xmpp/chat-state';
import { delayElement, withoutDelaysOf } from '@parley/xmpp/delay';
import { hasHint } from '@parley/xmpp/hints';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { AccountContext } from '../../hooks.ts';
import { defineModule, type ModuleContext } from '../../module.ts';
import type { Awaitable } from '../../pipeline.ts';
import { deliver } from '../../routing/deliver.ts';
import { isKept, selectResources } from '../../routing/resources.ts';
import { isAway, nextAttempt } from '../../session/attempts.ts';
import { OfflineDelivery } from './offline-delivery.ts';
import { OfflineStore, offlineKeys, offlineSenderKeys, offlineStateKeys } from './offline-store.ts';

/** XEP-0160: messages that nobody is there to take are stored, and delivered when somebody comes. */
export default defineModule({
  name: 'offline',
  description: 'Stores messages for accounts that are not online (XEP-0160).',
  xeps: [{ number: 160, version: '1.0.1' }],
  features: [NS.offline],
  keys: [offlineKeys, offlineStateKeys, offlineSenderKeys],
  setup(context) {
    const { hooks, keyspace, config } = context;
    const store = new OfflineStore(keyspace);
    const delivery = new OfflineDelivery({
      ...context,
      store,
      again: () => nextAttempt(keyspace),
      output: () => config().limits.output,
    });

    hooks.toAccount.use('deliver', (stanza, at) => takeLate(stanza, at, context, store));
    hooks.toSession.use('deliver', (stanza, session) => delivery.hold(stanza, session));

    hooks.events.on('presence.available', (session) => delivery.available(session)); // §2, step 5
    hooks.events.on('presence.unavailable', (session) => delivery.unavailable(session));
    hooks.events.on('session.drained', (session) => delivery.drained(session));
    hooks.events.on('session.unbound', (session) => delivery.end(session));
    hooks.events.on('session.moved', (session) => delivery.end(session));
    hooks.events.on('session.gone-elsewhere', (account) => delivery.goneElsewhere(account));
  },
});

/** Takes a message that no session took: true once it is stored, false where its sender must be told. */
function takeLate(stanza: Stanza, at: AccountContext, context: ModuleContext, store: OfflineStore): Awaitable<boolean> {
  if (!isKept(stanza)) return false;
  // Somebody may have come since the sessions were chosen, and would not look into the store again.
  const targets = selectResources(stanza, context.sessions.of(at.account));
  if (targets.length === 0) return keep(stanza, at, context, store);
  const taken = deliver(context.journal, targets, stanza);
  if (taken instanceof Promise) return taken.then((done) => done || keep(stanza, at, context, store));
  return taken || keep(stanza, at, context, store);
}

/** §3: what is worth it is stored. */
function keep(stanza: Stanza, at: AccountContext, context: ModuleContext, store: OfflineStore): Awaitable<boolean> {
  const { config, metrics, sessions } = context;
  if (isOnlyChatState(stanza.children) && !hasHint(stanza, 'store')) {
    // it is of no use later, and an error would tell that nobody is there
    metrics.stanzasDropped.with({ cause: 'unavailable' }).increment();
    return true;
  }
  if (!config().offline.enabled || hasHint(stanza, 'no-store')) return false;
  // its sender sends it again since its server was killed, and a session has had it that gets no messages now
  const { origin } = stanza;
  if (origin !== undefined && sessions.here(at.account).some(({ management }) => management?.had(origin))) return true;
  return add(stanza, at, context, store);
}

/** A session of another node that is recorded and yet unknown here is found within so many attempts, or is none. */
const ATTEMPTS = 60;
const PAUSE_MS = 250;

async function add(stanza: Stanza, at: AccountContext, context: ModuleContext, store: OfflineStore): Promise<boolean> {
  const { account, sender } = at;
  const { metrics, log, otherNodes, sessions, journal } = context;
  const limits = context.config().offline;
  const text = Buffer.from(stamped(stanza, account).toString());
  for (let attempt = 0; ; attempt++) {
    const look = otherNodes !== undefined && attempt < ATTEMPTS;
    const outcome = await untilKnown(() => store.add(account, text, limits, stanza.origin, look), stanza, context);
    if (outcome === 'stored') {
      metrics.offlineStored.increment();
      metrics.offlineSize.record(text.length);
      return true;
    }
    if (outcome !== 'somebody is there') {
      const limit = outcome === 'too many messages' ? 'offline-messages' : 'offline-bytes';
      metrics.limitsExceeded.with({ limit }).increment();
      const address = sender?.stream.transport.remoteAddress;
      log.flood('limit.exceeded', { limit, address, from: stanza.from?.toString(), account: account.bareText });
      return false;
    }
    await otherNodes?.refresh(account);
    const targets = selectResources(stanza, sessions.of(account));
    if (targets.length > 0 && (await deliver(journal, targets, stanza))) return true;
    if (attempt > 0) await pause(PAUSE_MS); // its node is gone, and nobody has dealt with what it had yet
  }
}

/** While the keyspace is away the message waits, unless it could be stored twice. */
async function untilKnown<T>(attempt: () => Promise<T>, { origin }: Stanza, { keyspace }: ModuleContext): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isAway(error)) throw error;
      if (error.outcome === 'unknown' && origin === undefined) {
        throw new StanzaError('resource-constraint', { type: 'wait', text: 'Nobody knows whether it was stored.' });
      }
      await nextAttempt(keyspace);
    }
  }
}

/** The stanza with the time and the place of its delay (XEP-0203), which nobody else may have noted for us. */
function stamped(stanza: Stanza, account: Jid): Stanza {
  const domain = Jid.of(undefined, account.domain);
  return withoutDelaysOf(stanza, (from) => from.equals(domain)).append(
    delayElement(domain, Date.now(), 'Offline Storage'),
  );
}
