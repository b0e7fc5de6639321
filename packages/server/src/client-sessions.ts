import type { Metrics } from '@parley/metrics/registry';
import type { Jid } from '@parley/xmpp/jid';
import type { Stanza, StanzaKind } from '@parley/xmpp/stanza';
import type { Cluster } from './cluster/cluster.ts';
import type { Configuration } from './config/schema.ts';
import type { Hooks } from './hooks.ts';
import type { Log } from './log.ts';
import type { Awaitable } from './pipeline.ts';
import { forward } from './routing/forward.ts';
import type { Router } from './routing/router.ts';
import { bindSession } from './session/binding.ts';
import type { CountingJournal } from './session/journal.ts';
import type { Requests } from './session/requests.ts';
import { Session, type SessionHost } from './session/session.ts';
import type { Sessions } from './session/sessions.ts';
import { StalledReaders } from './session/stalled-readers.ts';
import { writeTo } from './session/traced-write.ts';
import { SessionTraffic } from './session/traffic.ts';
import { Stream } from './stream/stream.ts';
import type { StreamHost } from './stream/stream-host.ts';
import type { Tracing } from './tracing/tracing.ts';

export interface ClientSessionsOptions {
  readonly config: () => Configuration;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly hooks: Hooks;
  readonly router: Router;
  readonly requests: Requests;
  readonly sessions: Sessions;
  readonly journal: CountingJournal;
  readonly streamHost: StreamHost;
  isAdmin(account: Jid): boolean;
  errorFor(stanza: Stanza, error: unknown): Stanza | undefined;
  /** Resolves when a stanza that failed is to be tried again; undefined where it is to be answered. */
  passes(stanza: Stanza, error: unknown): Promise<void> | undefined;
  /** Undefined where this node is alone. */
  readonly cluster?: Cluster | undefined;
  /** Undefined where nothing is traced. */
  readonly tracing?: Tracing | undefined;
}

const STALLED_CHECK_MS = 1000;

/** Looking at the clock costs as much as much of the rest. */
const TIMED_ONE_OF = 16;

/** Ties the sessions of clients to everything that happens to their stanzas. */
export class ClientSessions implements SessionHost, Disposable {
  readonly #options: ClientSessionsOptions;
  readonly #traffic: SessionTraffic;
  readonly #stalledCheck: NodeJS.Timeout;
  #messages = 0;

  constructor(options: ClientSessionsOptions) {
    this.#options = options;
    this.#traffic = new SessionTraffic(options.config, options.metrics);
    const { journal, metrics } = options;
    metrics.deliveries.with({ hops: '0' }).observe(() => journal.delivered.here);
    metrics.deliveries.with({ hops: '1' }).observe(() => journal.delivered.elsewhere);
    const stalled = new StalledReaders(options.sessions);
    this.#stalledCheck = setInterval(() => {
      const { stalledSeconds, maxBytes } = options.config().limits.output;
      stalled.check(performance.now(), { stalledMs: stalledSeconds * 1000, maxBytes });
    }, STALLED_CHECK_MS).unref();
  }

  /** Makes a session of an authenticated stream. Throws a StanzaError where the account has too many. */
  bind(stream: Stream, jid: Jid): void {
    const { sessions, config } = this.#options;
    const maxPerAccount = () => config().limits.sessions.perAccount;
    bindSession({ sessions, host: this, maxPerAccount, onBound: (session) => this.#onBound(session) }, stream, jid);
  }

  /** A session that a predecessor of this process left, without a stream until its client resumes it. */
  restore(jid: Jid, sessionId: string): Session {
    const session = new Session(jid, Stream.ended(jid, this.#options.streamHost), this, sessionId);
    this.#options.sessions.add(session);
    this.#count(session, 1);
    return session;
  }

  #count({ jid: { domain } }: Session, change: 1 | -1): void {
    const { sessions, domainSessions } = this.#options.metrics;
    sessions.add(change);
    domainSessions.with({ domain }).add(change);
  }

  #onBound(session: Session): void {
    const { isAdmin, log, hooks, cluster } = this.#options;
    session.stream.unlimited = isAdmin(session.account);
    this.#count(session, 1);
    log.info('session.bound', {
      jid: session.jid.toString(),
      address: session.stream.transport.remoteAddress,
      mechanism: session.stream.mechanism,
      tls: session.stream.transport.tls?.protocol,
    });
    hooks.events.emit('session.bound', session);
    cluster?.bound(session);
  }

  /** Behind all modules: what none of them took goes its way, as they have left it. */
  endPipelines(): void {
    const { fromClient, toSession } = this.#options.hooks;
    fromClient.use('deliver', (stanza, session) => {
      const routed = this.#route(stanza, session);
      return routed instanceof Promise ? routed.then(() => true) : true;
    });
    toSession.use('deliver', (stanza, session) => {
      const committed = writeTo(session, stanza);
      return committed instanceof Promise ? committed.then(() => true) : true;
    });
  }

  #route(stanza: Stanza, session: Session): Awaitable<void> {
    // RFC 6120 §10.3: without an address it is for the sender's own account
    const addressed = stanza.to === undefined ? stanza.withTo(session.account) : stanza;
    return this.#options.router.route(addressed, session);
  }

  // --- SessionHost ------------------------------------------------------------------------------------------------

  process(stanza: Stanza, session: Session): Awaitable<unknown> {
    const trace = this.#options.tracing?.begin(stanza, 'c2s');
    return trace === undefined ? this.#process(stanza, session) : trace.run(() => this.#process(stanza, session));
  }

  #process(stanza: Stanza, session: Session): Awaitable<unknown> {
    const { hooks, log } = this.#options;
    if (log.traces) log.trace('stanza.received', { jid: session.jid.toString(), xml: stanza.toString() });
    const timed = stanza.kind === 'message' && this.#messages++ % TIMED_ONE_OF === 0;
    const from = timed ? performance.now() : 0;
    const answer = this.#run(stanza, session);
    if (answer instanceof Promise) hooks.pending.add(answer);
    if (timed) this.#time(from, answer);
    return answer;
  }

  /** Where a guard has to wait for the keyspace, nothing has been done yet: it is begun anew. */
  #run(stanza: Stanza, session: Session): Awaitable<unknown> {
    const { hooks, passes } = this.#options;
    const answer = hooks.fromClient.run(stanza, session);
    if (!(answer instanceof Promise)) return answer;
    return answer.catch((error) => {
      const passed = passes(stanza, error);
      if (passed === undefined) throw error;
      return passed.then(() => this.#run(stanza, session));
    });
  }

  #time(from: number, answer: Awaitable<unknown>): void {
    const { deliveryDuration } = this.#options.metrics;
    const done = () => deliveryDuration.record((performance.now() - from) / 1000);
    if (answer instanceof Promise) answer.then(done, done);
    else done();
  }

  toSession(stanza: Stanza, session: Session): Awaitable<boolean> {
    return this.#options.hooks.toSession.run(stanza, session);
  }

  errorFor(stanza: Stanza, error: unknown): Stanza | undefined {
    return this.#options.errorFor(stanza, error);
  }

  onEnd(session: Session, reason: string): void {
    const { sessions, requests, log, hooks, cluster } = this.#options;
    sessions.remove(session);
    requests.end(session);
    this.#count(session, -1);
    log.info('session.unbound', { jid: session.jid.toString(), reason });
    hooks.events.emit('session.unbound', session, reason);
    const ended = cluster?.ended(session);
    if (ended !== undefined) hooks.pending.add(ended);
  }

  onDetach(session: Session, reason: string): void {
    const { log, hooks, cluster } = this.#options;
    log.info('session.detached', { jid: session.jid.toString(), reason });
    cluster?.changed(session);
    hooks.events.emit('session.detached', session, reason);
  }

  onLate(stanza: Stanza): Awaitable<void> {
    const { router } = this.#options;
    // what is for another server has not found its queue: another node has that, or nobody any more
    const isRemote = stanza.to !== undefined && !router.serves(stanza.to.domain);
    return isRemote ? router.route(stanza) : forward(router, stanza);
  }

  onChange(session: Session): void {
    this.#options.cluster?.changed(session);
  }

  onMoved(session: Session, reason: string): void {
    const { sessions, requests, log, hooks, cluster } = this.#options;
    sessions.remove(session);
    requests.end(session);
    this.#count(session, -1);
    log.info('session.moved', { jid: session.jid.toString(), reason });
    cluster?.moved(session);
    hooks.events.emit('session.moved', session);
  }

  onReceived(session: Session, kind: StanzaKind): number {
    return this.#traffic.received(session, kind);
  }

  onSent(session: Session, stanza: Stanza): void {
    const { log } = this.#options;
    if (log.traces) log.trace('stanza.sent', { jid: session.jid.toString(), xml: stanza.toString() });
    this.#traffic.sent(session, stanza);
  }

  outputLimits(): { readonly maxBytes: number; readonly maxStanzas: number } {
    return this.#options.config().limits.output;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#stalledCheck);
  }
}
