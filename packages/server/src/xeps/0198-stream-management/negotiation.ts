import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import type { StanzaCondition } from '@parley/xmpp/stanza-error';
import { StreamError } from '@parley/xmpp/stream-error';
import type { ModuleContext } from '../../module.ts';
import { untilDone } from '../../session/attempts.ts';
import { readHandled } from '../../session/handled-number.ts';
import { Management, type ManagementHost } from '../../session/management.ts';
import { NO_COUNTS } from '../../session/resumption/journal-counts.ts';
import type { ResumptionIds } from '../../session/resumption-ids.ts';
import type { Session } from '../../session/session.ts';
import { recordOf } from '../../session/session-record.ts';
import type { Stream } from '../../stream/stream.ts';
import type { Arrival, Arrivals } from './arrivals.ts';
import type { Departures } from './departures.ts';

export interface NegotiationHost {
  readonly context: Pick<ModuleContext, 'sessions' | 'log' | 'metrics' | 'hooks' | 'isAdmin' | 'otherNodes'>;
  readonly management: ManagementHost;
  readonly ids: ResumptionIds;
  readonly departures: Departures;
  /** Resolves when a session may be resumed; undefined where it may at once. */
  turn(stream: Stream): Promise<void> | undefined;
  /** Undefined where this node is alone. */
  readonly arrivals: Arrivals | undefined;
  /** Seconds for which a session waits for its client, and the most that a client may ask for. */
  times(): { readonly resumptionSeconds: number; readonly maxResumptionSeconds: number };
  /** Where clients had best come back to; undefined where any node is as good. */
  location(): string | undefined;
}

/** How often a session that another node takes over meanwhile is fetched. */
const ATTEMPTS = 5;

/** Is given what the client is to be told: before what its session sends. */
type Tell = (answer: Element) => void;

/** `<enable/>` and `<resume/>`. Whatever goes wrong is answered with `<failed/>` (§6). */
export class Negotiation {
  readonly #host: NegotiationHost;
  /** §3: a client makes one attempt. */
  readonly #attempted = new WeakSet<Session>();

  constructor(host: NegotiationHost) {
    this.#host = host;
  }

  /** §3 */
  async enable(stream: Stream, session: Session | undefined, element: Element, tell: Tell): Promise<void> {
    // before a resource is bound, or a second time
    if (session === undefined || this.#attempted.has(session)) return tell(failed('unexpected-request'));
    this.#attempted.add(session);
    const management = new Management(session, this.#host.management, this.#secondsFor(stream, element));
    if (management.resumable && !(await this.#open(session, management))) return tell(failed('resource-constraint'));
    session.management = management; // what is sent from here on counts, and comes behind the answer
    tell(Element.of('enabled', NS.streamManagement, this.#resumable(session, management)));
  }

  /** What the client is told for its return. */
  #resumable({ account, sessionId }: Session, { resumable, maxSeconds }: Management) {
    if (!resumable) return {};
    const { ids, location } = this.#host;
    return { id: ids.idOf(account.bareText, sessionId), resume: 'true', max: maxSeconds, location: location() };
  }

  /** For how long the session will wait; 0 where it cannot be resumed. */
  #secondsFor(stream: Stream, element: Element): number {
    // guests have no account to come back to
    if (!/^(true|1)$/.test(element.attr('resume') ?? '') || stream.mechanism === 'ANONYMOUS') return 0;
    const { resumptionSeconds, maxResumptionSeconds } = this.#host.times();
    const asked = Number(element.attr('max'));
    return Math.min(asked > 0 ? Math.ceil(asked) : resumptionSeconds, maxResumptionSeconds);
  }

  /** False where the keyspace does not take it, or the session ended meanwhile. */
  async #open(session: Session, management: Management): Promise<boolean> {
    const { store } = this.#host.management;
    // one that was bound to this resource before has its journal moved under the record that is replaced now
    await this.#host.departures.ended(session.jid);
    try {
      await this.#host.context.otherNodes?.confirmed();
      if (session.ended) return false; // it was over before: another one may have come with this full JID since
      const record = recordOf(session, management.epoch, management.maxSeconds);
      if (!(await store.open(session.account, record, { handled: 0, origins: new Map(), counts: NO_COUNTS })))
        return false;
    } catch (error) {
      if (!(error instanceof KeyspaceError)) throw error;
      if (error.outcome === 'unknown') this.#undo(session, management);
      return false;
    }
    if (session.ended) this.#undo(session, management);
    return !session.ended;
  }

  /** Nothing must wait for a client that does not know of it. */
  #undo({ account, jid, sessionId }: Session, { epoch }: Management): void {
    const { store, again, onFault } = this.#host.management;
    const done = untilDone(() => store.end(account, jid.resource, sessionId, epoch), again);
    this.#host.departures.await(jid, done);
    this.#host.context.hooks.pending.add(done.catch(onFault));
  }

  /** §5. Gives the session that is resumed, if one is. */
  async resume(stream: Stream, element: Element, tell: Tell): Promise<Session | undefined> {
    const { context, ids } = this.#host;
    const { identity } = stream;
    const h = readHandled(element);
    const id = element.attr('previd') ?? '';
    // who may only see to the account takes over nobody's conversations (XEP-0493 §5.1)
    const sid = identity && stream.access.grant?.only === undefined ? ids.read(identity.bareText, id) : undefined;
    if (identity === undefined || h === undefined || sid === undefined) {
      const condition =
        identity === undefined ? 'unexpected-request' : h === undefined ? 'bad-request' : 'item-not-found';
      tell(failed(condition));
      return undefined;
    }
    await this.#host.turn(stream);
    if (stream.closed) return undefined;
    const admittedAt = performance.now();
    const resumed = await this.#resume(stream, identity, sid, h, (handled) =>
      tell(Element.of('resumed', NS.streamManagement, { h: handled, previd: id })),
    );
    if (resumed !== undefined) {
      const { session, from } = resumed;
      stream.unlimited = context.isAdmin(session.account);
      const milliseconds = performance.now() - admittedAt;
      const address = stream.transport.remoteAddress;
      const fields = { jid: session.jid.toString(), address, from, milliseconds: Math.round(milliseconds) };
      context.log.info('session.resumed', fields);
      context.metrics.resumptionDuration.with({ from }).record(milliseconds / 1000);
      context.hooks.events.emit('session.resumed', session);
      return session;
    }
    // how much of what it sent was handled helps a client whose session is gone
    if (!stream.closed) tell(failed('item-not-found', await this.#lastHandled(identity, sid)));
    return undefined;
  }

  /** The session, once the stream is its; undefined where it cannot be. */
  async #resume(
    stream: Stream,
    identity: Jid,
    sid: string,
    h: number,
    tell: (handled: number) => void,
  ): Promise<Arrival | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS && !stream.closed; attempt++) {
      const own = this.#host.context.sessions.here(identity).find(({ sessionId }) => sessionId === sid);
      const here: Arrival | undefined = own === undefined || own.ended ? undefined : { session: own, from: 'here' };
      const fetch = () => this.#host.arrivals?.fetch(identity, sid, () => !stream.closed);
      const found = here ?? (await fetch()?.catch(tryAgain));
      const session = found?.session;
      if (session?.management?.resumable !== true) return undefined;
      if (await session.management.resume(stream, h, tell)) return found;
      if (session.ended && !session.movedAway) return undefined; // else another node took it over in between
    }
    if (stream.closed) return undefined;
    throw new StreamError('resource-constraint', 'Your session goes from node to node: try again.');
  }

  async #lastHandled(account: Jid, sid: string): Promise<number | undefined> {
    await this.#host.departures.done(sid);
    try {
      return await this.#host.management.store.lastHandled(account, sid);
    } catch (error) {
      if (error instanceof KeyspaceError) return undefined;
      throw error;
    }
  }
}

/** A client that is told that it failed takes its session for lost; where its stream ends, it comes back. */
function tryAgain(error: unknown): never {
  if (!(error instanceof KeyspaceError)) throw error;
  throw new StreamError('resource-constraint', 'Your session cannot be looked for just now: try again.');
}

/** §6 */
export const failed = (condition: StanzaCondition, h?: number): Element =>
  Element.of('failed', NS.streamManagement, { h }, Element.of(condition, NS.stanzas));
