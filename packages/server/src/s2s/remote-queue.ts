import { serialDistance } from '@parley/xmpp/serial';
import type { Stanza } from '@parley/xmpp/stanza';
import type { StanzaError } from '@parley/xmpp/stanza-error';
import type { Awaitable } from '../pipeline.ts';
import { RECORD_CHANGED } from '../session/journal-writer.ts';
import { isJournaledFor } from '../session/journaled.ts';
import type { Sent } from '../session/sent.ts';
import { ownText } from '../session/sent.ts';
import { untraced } from '../tracing/trace.ts';
import { Attempts } from './attempts.ts';
import { ConnectionFailure } from './connection-failure.ts';
import { filler } from './filler.ts';
import { isOutdated, supersedes } from './momentary.ts';
import type { EstablishedStream } from './outgoing-stream.ts';
import { Presumption } from './presumption.ts';
import type { QueueSession } from './queue-session.ts';
import type { RemoteQueueHost } from './remote-queue-host.ts';
import { Returns } from './returns.ts';
import { endHere, endUnsent, endWhenSent, outlastAll, startWrite } from './traced-queue.ts';
import { tookTooLong, tooLarge } from './undeliverable.ts';
import { WaitingCount } from './waiting-count.ts';

/** A stanza that was on so many streams that ended before it was acknowledged is not sent again. */
const MOST_SENDINGS = 3;
/** What the other side may have that it has not acknowledged: more is not written until it does. */
const MOST_OPEN = 10_000;
const MOST_OPEN_BYTES = 16_777_216;
/** A stream that ends sooner is no better than none. */
const SHORT_MS = 10_000;

/** What goes from one of our domains to another one: the stream, and what waits for it. */
export class RemoteQueue {
  readonly local: string;
  readonly remote: string;
  readonly waiting: WaitingCount;
  readonly #host: RemoteQueueHost;
  readonly #attempts: Attempts;
  #session: QueueSession | undefined;
  #stream: EstablishedStream | undefined;
  #openedAt = 0;
  /** Of a stream on which nothing is acknowledged. */
  #presumption: Presumption | undefined;
  /** The other side does not read as fast as it is written to. */
  #blocked = false;
  /** Since when. */
  #blockedAt = 0;
  #over = false;
  /** Of stanzas that were on streams which ended: on how many, and until when they wait now. */
  readonly #again = new WeakMap<Sent, { sendings: number; until: number }>();

  constructor(local: string, remote: string, host: RemoteQueueHost) {
    this.local = local;
    this.remote = remote;
    this.#host = host;
    this.waiting = new WaitingCount(host.together);
    this.#attempts = new Attempts({
      ...host,
      open: () => host.open(this.#toResume),
      onOpen: (stream) => this.#onOpen(stream),
      onFailure: (failure, restMs) => this.#onFailure(failure, restMs),
      wanted: () => this.#size > 0,
    });
  }

  /** As the cluster and the keyspace know it, where this node has it. */
  get session(): QueueSession | undefined {
    return this.#session;
  }

  get stream(): EstablishedStream | undefined {
    return this.#stream;
  }

  get state(): 'open' | 'connecting' | 'resting' | 'idle' {
    return this.#stream === undefined ? this.#attempts.state : 'open';
  }

  /** Why there was no stream lately. */
  get failure(): ConnectionFailure | undefined {
    return this.#attempts.failure;
  }

  /** Whether what comes waits for nothing but to be committed. */
  get ready(): boolean {
    return this.#stream?.writable === true && !this.#blocked && !this.#full;
  }

  /** Too much is not acknowledged: all of it is in memory. */
  get #full(): boolean {
    const { sent } = this.#session?.backlog ?? {};
    if (sent === undefined || this.#stream?.management === undefined) return false;
    return sent.written >= MOST_OPEN || sent.bytes - sent.unwrittenBytes >= MOST_OPEN_BYTES;
  }

  /** There is a stream that takes stanzas at once, and whose other side says what it has got. */
  get #acknowledges(): boolean {
    return this.ready && this.#stream?.management !== undefined;
  }

  /** Something is on its way, or may be at any moment. */
  get busy(): boolean {
    if (this.#stream !== undefined) return this.#size > 0 || this.#stream.unacknowledged > 0;
    return this.#attempts.state === 'connecting' && this.#size > 0;
  }

  /** The stream before, where the other side knows of it what became of something that is here. */
  get #toResume(): string | undefined {
    const { peerStream, backlog } = this.#session ?? {};
    return backlog !== undefined && backlog.sent.size > 0 ? peerStream : undefined;
  }

  /** Stanzas that have not been written. */
  get #size(): number {
    const { sent } = this.#session?.backlog ?? {};
    return sent === undefined ? 0 : sent.size - sent.written;
  }

  /** It is this node's from now on, with what it has. */
  begin(session: QueueSession): void {
    this.#session = session;
    // what may have been written to a stream that can be resumed waits for what that tells
    if (session.peerStream !== undefined)
      this.#wasOn(
        session.backlog.sent.all.filter(({ out }) => out !== undefined),
        0,
      );
    this.#count();
    if (this.#stream !== undefined) this.#attach(this.#stream);
  }

  /** It is this node's no longer: what comes of it is not to be seen here. */
  end(reason: string): void {
    const { all = [], written = 0 } = this.#session?.backlog.sent ?? {};
    this.#over = true;
    this.#attempts.stop();
    endHere(all.slice(written));
    this.#letGo(reason, all.length > 0);
    this.#session = undefined;
    this.#count();
  }

  /** Lets go of the stream; what waits, waits on. */
  release(): void {
    this.#over = true;
    this.#attempts.stop();
    this.#letGo('another node takes it over', true);
  }

  #letGo(reason: string, kept: boolean): void {
    const stream = this.#stream;
    if (stream?.flushed) this.#presumption?.all();
    this.#detach();
    if (kept && stream?.management?.id !== undefined) stream.abandon(reason);
    else stream?.close(reason);
  }

  // --- what goes in -----------------------------------------------------------------------------------------------

  /**
   * Throws a StanzaError where a stanza, as text, is too large for the other side, and the failure where it could not be tried
   * again while it waits.
   */
  check(text: string): void {
    const stream = this.#stream;
    if (stream === undefined) this.#attempts.check(this.#host.now() + this.#host.settings().waitMs);
    else if (!stream.over && !stream.takes(text)) throw tooLarge();
  }

  /** Whether it goes out at once, and is kept only where the other side does not acknowledge it. */
  mayMiss({ backlog }: QueueSession, stanza: Stanza): boolean {
    return this.#acknowledges && backlog.attached && isPromisedToNobody(stanza);
  }

  /**
   * Takes a stanza, which is this text. The promise, if there is one, resolves when it is committed; there is none where its
   * sender has nothing that could depend on it.
   */
  take(session: QueueSession, stanza: Stanza, said: string): Awaitable<void> {
    const { backlog, account } = session;
    const span = startWrite(this);
    const journaled = isJournaledFor(account, stanza, said.length);
    if (journaled && this.mayMiss(session, stanza)) {
      backlog.takeUnsafe(said, span);
      return;
    }
    const text = ownText(said);
    const superfluous = backlog.detached ? supersedes(text) : undefined;
    if (superfluous !== undefined)
      endUnsent(
        backlog.sent.takeOut((sent) => !sent.journaled && superfluous(sent)),
        'superseded',
      );
    const committed = backlog.take(text, stanza.origin, journaled, span);
    this.#count();
    if (this.#stream === undefined) void this.connect();
    return committed;
  }

  // --- the stream -------------------------------------------------------------------------------------------------

  /** Connects unless it does already, or has to rest. `now`: it need not rest. */
  async connect(now = false): Promise<void> {
    if (this.#stream !== undefined || this.#over) return;
    await untraced(() => this.#attempts.connect(now)); // it is for others as well
  }

  #onOpen(stream: EstablishedStream): void {
    this.#stream = stream;
    this.#openedAt = this.#host.now();
    this.#host.onOpen(stream);
    stream.onAcknowledged = (count) => this.#onAcknowledged(stream, count);
    void stream.closed.then(({ reason }) => this.#onEnd(stream, reason));
    if (this.#over) stream.close('the queue is elsewhere');
    else if (this.#session !== undefined) this.#attach(stream);
  }

  #attach(stream: EstablishedStream): void {
    const session = this.#session as QueueSession;
    void session.backlog.inTurn(() => this.#begin(session, stream)).catch((error) => this.#host.onFault(error));
  }

  /** What waits goes out on a stream: first that which the other side has not handled on the one before. */
  async #begin(session: QueueSession, stream: EstablishedStream): Promise<void> {
    const { backlog } = session;
    const { sent, journal } = backlog;
    const isCurrent = () => this.#stream === stream && !stream.over && !session.ended;
    const { id, resumedAt, handledBefore } = stream.management ?? {};
    if (!isCurrent()) return;
    if (resumedAt !== undefined && (!sent.allows(resumedAt) || sent.missing(resumedAt) > MOST_OPEN)) {
      session.peerStream = undefined;
      stream.close('it cannot have handled as much as it says, or as little');
      return;
    }
    const now = Date.now();
    // what is answered need not be so by the time the rest goes out
    const outdated = backlog.takeOut(
      (each) => isOutdated(each, now),
      (taken) => endUnsent(taken, 'outdated'),
    );
    void outdated.catch((fault) => this.#host.onFault(fault));
    void this.#giveUp(({ text }) => !stream.takes(text), tooLarge());
    // the node before may have answered these already, and not have lived to tell
    const isHandled = ({ out }: Sent) =>
      resumedAt !== undefined && out !== undefined && serialDistance(out, resumedAt) <= 0;
    void this.#giveUp((sent) => this.#until(sent) <= now && !isHandled(sent), tookTooLong());
    const renumber = () => {
      const handled =
        resumedAt ?? (handledBefore !== undefined && sent.allows(handledBefore) ? handledBefore : undefined);
      // the other side may know stanzas by their numbers that its last node had and did not tell of
      const gap = resumedAt === undefined ? undefined : filler(this.local, this.remote);
      if (handled !== undefined) backlog.settle(sent.resume(handled, gap));
      if (resumedAt === undefined) sent.restart(0);
      const changed = session.peerStream !== id;
      session.peerStream = id;
      return changed ? RECORD_CHANGED : undefined;
    };
    // whoever comes after this node needs the numbers where the stream may be resumed
    if (id !== undefined || session.peerStream !== undefined) {
      if (!(await journal.takeOver(renumber))) return;
    } else renumber();
    this.#host.onChange(session);
    if (!isCurrent()) return;
    backlog.attached = true;
    this.#presumption = stream.management === undefined ? new Presumption(backlog) : undefined;
    this.pump();
  }

  /** Writes what is ready, in order. */
  pump(): void {
    const stream = this.#stream;
    const { backlog } = this.#session ?? {};
    if (stream === undefined || backlog?.attached !== true || this.#blocked) return;
    const { sent } = backlog;
    let writable = stream.writable;
    while (writable && !this.#full) {
      const next = sent.next();
      if (next === undefined) break;
      const written = stream.send(next.text);
      if (written !== undefined && next.later) next.standsIn(written);
      if (next.span !== undefined) endWhenSent(next.span, stream);
      writable = stream.writable;
    }
    if (sent.written > 0) this.#presumption?.wrote(performance.now());
    this.#count();
    if (writable || stream.over) return;
    this.#blocked = true;
    this.#blockedAt = performance.now();
    stream.whenWritable(() => {
      if (this.#stream !== stream) return;
      this.#blocked = false;
      this.pump();
    });
  }

  /** Closes the stream, if there is one. */
  close(reason: string): void {
    if (this.#stream?.flushed) this.#presumption?.all();
    this.#stream?.close(reason);
  }

  #onAcknowledged(stream: EstablishedStream, count: number): void {
    const { backlog } = this.#session ?? {};
    if (this.#stream !== stream || backlog?.attached !== true) return;
    const { sent } = backlog;
    backlog.acknowledge((sent.count - sent.written + count) >>> 0);
    if (this.#size > 0) this.pump();
  }

  #detach(): readonly Sent[] {
    this.#stream = undefined;
    this.#presumption = undefined;
    this.#blocked = false;
    const session = this.#session;
    if (session?.backlog.attached !== true) return [];
    session.backlog.attached = false;
    outlastAll(session.backlog.sent.all);
    if (!session.ended) this.#host.onChange(session);
    return session.backlog.sent.unwrite();
  }

  #onEnd(stream: EstablishedStream, reason: string): void {
    this.#host.onEnd(stream, reason);
    if (this.#stream !== stream) return; // it was let go of
    const now = this.#host.now();
    this.#wasOn(this.#detach(), 1);
    this.#count();
    void this.#session?.backlog.keepRest().catch((error) => this.#host.onFault(error));
    const failure = new ConnectionFailure('connection', `${reason}.`, { timeout: true });
    void this.#giveUp((sent) => (this.#again.get(sent)?.sendings ?? 0) >= MOST_SENDINGS, failure);
    const short = now - this.#openedAt < SHORT_MS;
    this.#attempts.ended(short ? failure : undefined);
  }

  /** They were written to a stream that is over, or may have been. */
  #wasOn(written: readonly Sent[], times: 0 | 1): void {
    const until = Date.now() + this.#host.settings().waitMs;
    for (const sent of written) {
      this.#again.set(sent, { sendings: (this.#again.get(sent)?.sendings ?? 0) + times, until });
    }
  }

  #onFailure(failure: ConnectionFailure, restMs: number): void {
    this.#host.onFailure(failure, restMs);
    // those whose time is over before anything is tried again need not wait for it
    const until = Date.now() + restMs;
    void this.#giveUp((sent) => failure.lasting || this.#until(sent) <= until, failure);
  }

  // --- what does not go out ---------------------------------------------------------------------------------------

  /** Milliseconds since 1970. */
  #until(sent: Sent): number {
    return this.#again.get(sent)?.until ?? sent.at + this.#host.settings().waitMs;
  }

  async #giveUp(which: (sent: Sent) => boolean, error: StanzaError | ConnectionFailure): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    let returns: Returns | undefined;
    const parted = (taken: readonly Sent[]) => {
      endUnsent(taken, error.condition);
      returns = new Returns(taken, (fault) => this.#host.onFault(fault));
      return returns.parts();
    };
    const answer = (part: readonly Sent[]) =>
      returns?.answer(part, ({ stanza, number }) => this.#host.answer(stanza, error, number));
    const removed = session.backlog.takeOut(which, answer, parted);
    this.#count();
    await removed.catch((fault) => this.#host.onFault(fault));
  }

  /** Called every second or so. False: there is nothing to remember any more. */
  tick(): boolean {
    const now = Date.now();
    if (this.#size > 0) void this.#giveUp((sent) => this.#until(sent) <= now, this.failure ?? tookTooLong());
    const { idleMs, patienceMs } = this.#host.settings();
    const stream = this.#stream;
    if (this.#blocked && performance.now() - this.#blockedAt > patienceMs) stream?.close('it reads nothing');
    stream?.keepAlive();
    if (stream?.flushed) this.#presumption?.tick(performance.now());
    if (stream !== undefined && stream.unacknowledged === 0 && performance.now() - stream.usedAt > idleMs) {
      this.close('nothing has gone for a while');
    }
    return stream !== undefined || this.#session?.backlog.empty === false || this.#attempts.matter;
  }

  #count(): void {
    const { sent } = this.#session?.backlog ?? {};
    this.waiting.set(this.#size, sent?.unwrittenBytes ?? 0);
  }
}

/**
 * A message of somebody whom nobody tells that what was sent is safe, and which answers nothing: whoever is answered was told
 * that his stanza was dealt with.
 */
const isPromisedToNobody = ({ kind, type, origin }: Stanza): boolean =>
  kind === 'message' && type !== 'error' && origin === undefined;
