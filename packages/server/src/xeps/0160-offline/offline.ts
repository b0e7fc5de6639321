import { setTimeout as pause } from 'node:timers/promises';
import { isOnlyChatState } from '@parley/xmpp/chat-state';
import { delayElement, withoutDelaysOf } from '@parley/xmpp/delay';
import { hasHint } from '@parley/xmpp/hints';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { Origin, Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import type { AccountContext } from '../../hooks.ts';
import { defineModule, type ModuleContext } from '../../module.ts';
import type { Awaitable } from '../../pipeline.ts';
import { deliver } from '../../routing/deliver.ts';
import { selectResources } from '../../routing/resources.ts';
import { isAway, nextAttempt } from '../../session/attempts.ts';
import { isKept } from '../../session/kept.ts';
import { isUnordered } from '../../session/origins.ts';
import { SOUGHT } from '../../session/other-nodes.ts';
import { hadElsewhere } from './had-elsewhere.ts';
import { importedKeys } from './imported-store.ts';
import { OfflineDelivery } from './offline-delivery.ts';
import { offlineMoves } from './offline-moves.ts';
import type { OfflineOutcome } from './offline-operations.ts';
import { offlinePart } from './offline-part.ts';
import { OfflineStore, offlineKeys, offlineSenderKeys, offlineStateKeys } from './offline-store.ts';
import { nameOf, RecentlyStored, type RestoreHost, type Stored } from './recently-stored.ts';

/** What other nodes are told of. */
const TAKEN = 'offline-taken';
const STORED_LATE = 'offline-stored-late';

interface Offline extends ModuleContext {
  readonly store: OfflineStore;
  readonly recent: RecentlyStored;
  /** A message was stored later than it was to be: somebody may have come since, and found nothing. */
  onStoredLate(account: Jid): void;
}

/** XEP-0160: messages that nobody is there to take are stored, and delivered when somebody comes. */
export default defineModule({
  name: 'offline',
  description: 'Stores messages for accounts that are not online (XEP-0160).',
  xeps: [{ number: 160, version: '1.0.1' }],
  features: [NS.offline],
  keys: [offlineKeys, offlineStateKeys, offlineSenderKeys, importedKeys],
  moves: offlineMoves,
  parts: [offlinePart],
  setup(context) {
    const { hooks, keyspace, config } = context;
    const store = new OfflineStore(keyspace);
    const recent = new RecentlyStored(context.sessionStore.owner, () => config().keyspace.commandTimeoutSeconds * 1000);
    recent.keyspaceIs(keyspace.state);
    context.onStop(keyspace.onState((state) => recent.keyspaceIs(state)));
    const onStoredLate = (account: Jid) => {
      delivery.goneElsewhere(account);
      void context.peers.tell(STORED_LATE, account.bareText);
    };
    const offline: Offline = { ...context, store, recent, onStoredLate };
    const onTaken = (texts: readonly Buffer[]) => {
      const names = texts.map(nameOf);
      recent.taken(names);
      void context.peers.tell(TAKEN, names.join(' '));
    };
    const delivery = new OfflineDelivery({
      ...context,
      store,
      onTaken,
      wasTaken: (text) => recent.wasTaken(text),
      again: () => nextAttempt(keyspace),
      output: () => config().limits.output,
    });

    context.peers.on(TAKEN, (text) => recent.taken(text.split(' ')));
    // what this node puts back comes before what others store since nobody is there
    context.peers.on(SOUGHT, (text) => {
      const [bare = '', sid = ''] = text.split(' ');
      return sid === '' ? recent.restored(Jid.parse(bare)) : undefined;
    });
    context.peers.on(STORED_LATE, (text) => delivery.goneElsewhere(Jid.parse(text)));
    hooks.events.on('account.removed', (account) => recent.forget(account));
    context.peers.on('account', (text) => {
      const { account, change } = JSON.parse(text) as { account: string; change: string };
      if (change === 'removed') recent.forget(Jid.parse(account));
    });
    hooks.events.on('keyspace.changed', () => recent.restore(restoring(offline)));
    // what is stored again was there before
    hooks.toAccount.use('guard', (stanza, { account }) =>
      stanza.kind === 'message' ? recent.restored(account) : undefined,
    );
    hooks.toAccount.use('deliver', (stanza, at) => takeLate(stanza, at, offline));
    hooks.toSession.use('deliver', (stanza, session) => delivery.hold(stanza, session));

    hooks.events.on('presence.available', (session) => delivery.available(session)); // §2, step 5
    hooks.events.on('session.restored', (session) => delivery.restored(session));
    hooks.events.on('presence.unavailable', (session) => delivery.unavailable(session));
    hooks.events.on('session.drained', (session) => delivery.drained(session));
    hooks.events.on('session.unbound', (session) => delivery.end(session));
    hooks.events.on('session.moved', (session) => delivery.end(session));
    hooks.events.on('session.gone-elsewhere', (account) => delivery.goneElsewhere(account));
  },
});

/** Takes a message that no session took: true once it is stored, false where its sender must be told. */
function takeLate(stanza: Stanza, at: AccountContext, context: Offline): Awaitable<boolean> {
  if (!isKept(stanza)) return false;
  // Somebody may have come since the sessions were chosen, and would not look into the store again.
  const targets = selectResources(stanza, context.sessions.of(at.account));
  if (targets.length === 0) return keep(stanza, at, context);
  const taken = deliver(context.journal, targets, stanza);
  if (taken instanceof Promise) return taken.then((done) => done || keep(stanza, at, context));
  return taken || keep(stanza, at, context);
}

/** §3: what is worth it is stored. */
function keep(stanza: Stanza, at: AccountContext, context: Offline): Awaitable<boolean> {
  const { config, metrics, sessions } = context;
  if (isOnlyChatState(stanza.children) && !hasHint(stanza, 'store')) {
    // it is of no use later, and an error would tell that nobody is there
    metrics.stanzasDropped.with({ cause: 'unavailable' }).increment();
    return true;
  }
  if (!config().offline.enabled || hasHint(stanza, 'no-store')) return false;
  // its sender sends it again since its server was killed, and a session has had it that gets no messages now
  const { origin } = stanza;
  if (origin !== undefined && sessions.here(at.account).some(({ management }) => management?.backlog.had(origin)))
    return true;
  return add(stanza, at, context);
}

/** A session of another node that is recorded and yet unknown here is found within so many attempts, or is none. */
const ATTEMPTS = 60;
const PAUSE_MS = 250;

async function add(stanza: Stanza, { account, sender }: AccountContext, context: Offline): Promise<boolean> {
  const { metrics, log, otherNodes, sessions } = context;
  const text = Buffer.from(stamped(stanza, account).toString());
  // what comes before or after others tells nothing of them
  const origin = stanza.origin && isUnordered(stanza.origin) ? undefined : stanza.origin;
  if (origin !== undefined && otherNodes !== undefined) {
    const own = (sid: string) => sessions.owned({ sessionId: sid })?.management?.backlog.had(origin);
    const look = () => hadElsewhere(context.sessionStore, account, origin, own);
    if (await untilKnown(look, true, context)) return true;
  }
  const outcome = await store({ account, stanza, text, origin }, context);
  if (outcome === undefined) return true;
  if (outcome === 'stored') {
    metrics.offlineStored.increment();
    metrics.offlineSize.record(text.length);
    return true;
  }
  const limit = outcome === 'too many messages' ? 'offline-messages' : 'offline-bytes';
  metrics.limitsExceeded.with({ limit }).increment();
  const address = sender?.stream.transport.remoteAddress;
  log.flood('limit.exceeded', { limit, address, from: stanza.from?.toString(), account: account.bareText });
  return false;
}

/** How what the keyspace has lost is stored again. */
const restoring = (context: Offline): RestoreHost => ({
  // Whoever is there gets it from the storage: handed over at once it could come before others of its sender that are
  // there already, and hide those.
  async store(stored) {
    await context.store.restore(stored.account, stored.text, stored.origin);
    remember(stored, context); // it may be lost once more
  },
  again: () => nextAttempt(context.keyspace),
  onLate: context.onStoredLate,
  onLost({ account }, error) {
    context.metrics.offlineLost.increment();
    context.log.flood('offline.unrestored', { message: LOST, account: account.bareText, error: error as Error });
  },
});

const LOST =
  'Redis may have lost a message that was stored for somebody, and it cannot be stored once more: see the error.';

const FORGOTTEN =
  'So much is stored for people who are not there that this node has no room to remember all of it: if Redis loses its newest writes now, some of that is lost.';

/** What is to be stored: perhaps without an origin of its own. */
type Message = Omit<Stored, 'origin'> & { readonly origin: Origin | undefined };

/** Stores a message; undefined where a session has taken it instead. */
async function store(
  message: Message,
  context: Offline,
): Promise<Exclude<OfflineOutcome, 'somebody is there'> | undefined> {
  const { account, stanza, origin } = message;
  const { otherNodes, sessions, journal, recent } = context;
  for (let attempt = 0; ; attempt++) {
    const look = otherNodes !== undefined && attempt < ATTEMPTS;
    const add = (known = origin) => storeOnce({ ...message, origin: known }, look, context);
    // a node that is alone has a keyspace that loses nothing
    const outcome = await (origin || !otherNodes ? add() : recent.inTurn(account, add));
    if (outcome !== 'somebody is there') return outcome;
    // not in turn: a session that ends has taken this once all is stored that it leaves behind, which must find the way free
    await otherNodes?.refresh(account);
    const targets = selectResources(stanza, sessions.of(account));
    if (targets.length > 0 && (await deliver(journal, targets, stanza))) return undefined;
    if (attempt > 0) await pause(PAUSE_MS); // its node is gone, and nobody has dealt with what it had yet
  }
}

/** `look`: where somebody is there, nothing is stored. */
async function storeOnce(
  { account, stanza, text, origin }: Message,
  look: boolean,
  context: Offline,
): Promise<OfflineOutcome> {
  const { otherNodes, recent, config } = context;
  const limits = config().offline;
  let tried = 0;
  const add = async () => {
    // each time: not before what the keyspace has lost, which it would hide
    for (let wait = recent.restored(account); wait !== undefined; wait = recent.restored(account)) await wait;
    if (look) await otherNodes?.told(account); // who is there
    tried++;
    return context.store.add(account, text, limits, origin, look);
  };
  const outcome = await untilKnown(add, origin !== undefined, context);
  if (outcome !== 'stored') return outcome;
  if (tried > 1) context.onStoredLate(account);
  if (otherNodes && origin) remember({ account, stanza, text, origin }, context);
  return outcome;
}

function remember(stored: Stored, { recent, metrics, log }: Offline): void {
  const forgotten = recent.add(stored);
  if (forgotten === 0) return;
  metrics.offlineForgotten.add(forgotten);
  log.flood('offline.forgotten', { message: FORGOTTEN });
}

/** While the keyspace is away the message waits, unless it could be stored twice. */
async function untilKnown<T>(attempt: () => Promise<T>, again: boolean, { keyspace }: Offline): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!isAway(error)) throw error;
      if (error.outcome === 'unknown' && !again) {
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
