import type { LimitName } from '@parley/metrics/catalogue';
import type { Jid } from '@parley/xmpp/jid';
import type { Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { type Awaitable, Dropped } from '../pipeline.ts';
import { RETURNED } from '../session/returned.ts';
import { ConnectionFailure, type ConnectionStep } from './connection-failure.ts';
import { betweenServers, type EstablishedStream } from './outgoing-stream.ts';
import type { PeerPolicy } from './policy.ts';
import type { QueueSession } from './queue-session.ts';
import { type QueueOwner, QueueSessions, type QueueSessionsHost } from './queue-sessions.ts';
import { RemoteQueue } from './remote-queue.ts';
import type { QueueSettings } from './remote-queue-host.ts';
import { type Together, weight } from './waiting-count.ts';

export interface RemoteRoutingSettings extends QueueSettings {
  readonly maxStanzas: number;
  readonly maxBytes: number;
  readonly maxTotalBytes: number;
  /** Streams at the same time. */
  readonly outgoing: number;
}

export interface RemoteRoutingHost extends QueueSessionsHost {
  readonly settings: () => RemoteRoutingSettings;
  readonly policy: (remote: string) => PeerPolicy;
  /** Whether a domain, or a service below it, is one that this server speaks for. */
  isOurs(domain: string): boolean;
  /** `previous`: the stream before, which the other side may have kept (XEP-0198). */
  open(local: string, remote: string, previous: string | undefined): Promise<EstablishedStream>;
  /** Has another node connect now; false where it cannot. */
  connectElsewhere(node: string, local: string, remote: string): Promise<boolean>;
  /**
   * Answers the sender of a stanza with an error, where the rules allow an answer; `prepare` makes it what is sent. The
   * promise, if there is one, resolves when the answer cannot get lost any more.
   */
  answer(stanza: Stanza, error: unknown, prepare?: (answer: Stanza) => Stanza): Awaitable<void>;
  onSent(stanza: Stanza): void;
  onOpen(stream: EstablishedStream): void;
  onEnd(stream: EstablishedStream, reason: string): void;
  onFailure(local: string, remote: string, failure: ConnectionFailure, retryMs: number): void;
  onLimit(limit: LimitName, remote: string): void;
}

const TICK_MS = 1000;
/** How often it is looked at what is still on its way, when the server stops. */
const SETTLING_MS = 20;
/** Why streams end then. */
const STOPS = 'the server stops';
/** Pairs of domains that something is remembered of. */
const MOST_QUEUES = 20_000;

/** Stanzas for other servers: where each waits, and what becomes of it where nobody takes it. */
export class RemoteRouting implements QueueOwner {
  readonly sessions: QueueSessions;
  readonly #host: RemoteRoutingHost;
  /** Those of this node, by the address of the queue. */
  readonly #queues = new Map<string, RemoteQueue>();
  readonly #addresses = new Map<string, Map<string, Jid>>();
  readonly #now: () => number;
  /** What waits for all domains together. */
  readonly waiting: Together = { bytes: 0, stanzas: 0 };
  /** Nothing is connected before. */
  #started = false;
  #stopped = false;
  #ticking: NodeJS.Timeout | undefined;

  constructor(host: RemoteRoutingHost, now: () => number = () => performance.now()) {
    this.#host = host;
    this.#now = now;
    this.sessions = new QueueSessions(host, this);
  }

  get queues(): readonly RemoteQueue[] {
    return [...this.#queues.values()];
  }

  /** From now on what waits is sent. */
  start(): void {
    this.#started = true;
    for (const queue of this.#queues.values()) if (queue.waiting.size > 0) void queue.connect();
  }

  // --- stanzas ----------------------------------------------------------------------------------------------------

  /**
   * Takes a stanza for another server. Throws a StanzaError, or rejects with one, where it is refused; presence is dropped
   * then. The promise, if there is one, resolves when it cannot get lost any more.
   */
  send(stanza: Stanza): Awaitable<void> {
    const refused = (error: unknown): never => {
      throw stanza.kind === 'presence' ? new Dropped() : error;
    };
    try {
      const taken = this.#send(stanza);
      if (taken instanceof Promise) return taken.catch(refused);
    } catch (error) {
      refused(error);
    }
  }

  #send(stanza: Stanza): Awaitable<void> {
    const { from, to } = stanza;
    if (from === undefined || to === undefined || !this.#host.isOurs(from.domain)) {
      throw new Dropped(); // nobody relays for others: it could go round for ever
    }
    const policy = this.#host.policy(to.domain);
    if (!policy.allow || !policy.stanzas.has(stanza.kind)) throw notAllowed(to.domain);
    const address = this.#addressOf(from.domain, to.domain);
    const full = this.#queues.size >= MOST_QUEUES && this.#host.sessions.get(address) === undefined;
    if (full || this.#stopped) throw tooMany();
    const sent = policy.stripPresence && stanza.kind === 'presence' ? stanza.with({ children: [] }) : stanza;
    const taken = this.sessions.deliver(address, sent);
    this.#host.onSent(sent);
    return taken;
  }

  #addressOf(local: string, remote: string): Jid {
    let ofLocal = this.#addresses.get(local);
    if (ofLocal === undefined) {
      ofLocal = new Map();
      this.#addresses.set(local, ofLocal);
    }
    let address = ofLocal.get(remote);
    if (address === undefined) {
      if (ofLocal.size >= MOST_QUEUES) ofLocal.clear();
      address = this.sessions.addressOf(local, remote);
      ofLocal.set(remote, address);
    }
    return address;
  }

  #check(queue: RemoteQueue, text: string): void {
    queue.check(text);
    const { maxStanzas, maxBytes, maxTotalBytes } = this.#host.settings();
    const { waiting, remote } = queue;
    const bytes = weight(text);
    const limit =
      waiting.size >= maxStanzas
        ? 'federation-queue-stanzas'
        : waiting.bytes + bytes > maxBytes
          ? 'federation-queue-bytes'
          : this.waiting.bytes + bytes > maxTotalBytes
            ? 'federation-queues-bytes'
            : undefined;
    if (limit === undefined || queue.ready) return;
    this.#host.onLimit(limit, remote);
    throw new StanzaError('resource-constraint', { type: 'wait', text: `Too much waits for ${remote} already.` });
  }

  #answer(session: Pick<QueueSession, 'sessionId'>, remote: string, stanza: Stanza, error: unknown, number?: number) {
    if (stanza.kind === 'presence') return;
    const words = error instanceof ConnectionFailure ? unreachable(error, remote) : error;
    if (number === undefined) return this.#host.answer(stanza, words);
    const origin = { sid: session.sessionId, k: number, effect: RETURNED };
    return this.#host.answer(stanza, words, (answer) => answer.withOrigin(origin));
  }

  // --- QueueOwner -------------------------------------------------------------------------------------------------

  onBegin(session: QueueSession): void {
    const { jid } = session;
    if (this.#host.isOurs(jid.domain)) {
      session.finish('the domain is one of ours by now'); // what is left is routed, to somebody here
      return;
    }
    const queue = this.#queue(jid.resource, jid.domain);
    queue.begin(session);
    if (this.#started && queue.waiting.size > 0) void queue.connect();
  }

  onReady(session: QueueSession): void {
    this.#of(session)?.pump();
  }

  mayMiss(session: QueueSession, stanza: Stanza): boolean {
    return this.#of(session)?.mayMiss(session, stanza) === true;
  }

  take(session: QueueSession, stanza: Stanza): Awaitable<void> {
    const queue = this.#of(session);
    if (queue === undefined) return;
    const { origin } = stanza;
    const text = betweenServers(stanza);
    try {
      if (origin === undefined || !session.backlog.had(origin)) this.#check(queue, text);
    } catch (error) {
      return this.#answer(session, queue.remote, stanza, error);
    }
    return queue.take(session, stanza, text);
  }

  release(session: QueueSession): void {
    this.#of(session)?.release();
  }

  onEnd(session: QueueSession): void {
    const queue = this.#of(session);
    if (queue === undefined) return;
    this.#queues.delete(keyOf(queue));
    queue.end(this.#stopped ? STOPS : 'it is not needed here any more');
  }

  #of(session: QueueSession): RemoteQueue | undefined {
    const queue = this.#queues.get(session.jid.toString());
    return queue?.session === session ? queue : undefined;
  }

  // --- streams ----------------------------------------------------------------------------------------------------

  #queue(local: string, remote: string): RemoteQueue {
    const key = keyOf({ local, remote });
    const before = this.#queues.get(key);
    if (before !== undefined) return before;
    const host = this.#host;
    const queue: RemoteQueue = new RemoteQueue(local, remote, {
      settings: host.settings,
      together: this.waiting,
      open: async (previous) => {
        if (!host.isOurs(local)) {
          throw new ConnectionFailure('policy', `${local} is none of our domains any more.`, { lasting: true });
        }
        this.#makeRoom();
        return await host.open(local, remote, previous);
      },
      answer: (stanza, error, number) =>
        this.#answer(queue.session ?? { sessionId: '' }, remote, stanza, error, number),
      onOpen: (stream) => {
        if (this.#stopped) stream.close(STOPS);
        host.onOpen(stream);
      },
      onEnd: (stream, reason) => host.onEnd(stream, reason),
      onFailure: (failure, retryMs) => host.onFailure(local, remote, failure, retryMs),
      onChange: (session) => host.nodes?.changed(session),
      onFault: (error) => host.onFault(error),
      now: this.#now,
      random: Math.random,
    });
    this.#queues.set(key, queue);
    this.#ticking ??= setInterval(() => this.#tick(), TICK_MS).unref();
    return queue;
  }

  /** One stream more: the one that was idle longest goes where there are too many. */
  #makeRoom(): void {
    const open = this.queues.filter(({ stream }) => stream !== undefined);
    if (open.length < this.#host.settings().outgoing) return;
    const usedAt = ({ stream }: RemoteQueue) => stream?.usedAt ?? 0;
    const idle = open.reduce((one, other) => (usedAt(other) < usedAt(one) ? other : one));
    idle.close('there are too many streams');
  }

  #tick(): void {
    for (const [key, queue] of this.#queues) {
      if (queue.tick()) continue;
      if (queue.session !== undefined) queue.session.finish('nothing is left in it');
      else this.#queues.delete(key);
    }
    if (this.#queues.size > 0) return;
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }

  /** The stream from one of our domains to another one, if there is one. */
  stream(local: string, remote: string): EstablishedStream | undefined {
    return this.#queues.get(keyOf({ local, remote }))?.stream;
  }

  /** Connects now, however long it would have to wait. Rejects with a ConnectionFailure. */
  async connect(local: string, remote: string): Promise<void> {
    const node = this.sessions.elsewhere(this.#addressOf(local, remote));
    if (node !== undefined) {
      if (await this.#host.connectElsewhere(node, local, remote)) return;
      throw new ConnectionFailure('connection', 'Another node speaks to it, and does not reach it: see its log.');
    }
    await this.#connectHere(local, remote);
  }

  /** The same, for another node. False where there is no stream: nor is yet another node asked, which might ask this one. */
  async connectFor(local: string, remote: string): Promise<boolean> {
    if (this.sessions.elsewhere(this.#addressOf(local, remote)) !== undefined) return false;
    return await this.#connectHere(local, remote).then(
      () => true,
      () => false,
    );
  }

  async #connectHere(local: string, remote: string): Promise<void> {
    const queue = this.#queue(local, remote);
    await queue.connect(true);
    if (queue.stream === undefined && queue.failure !== undefined) throw queue.failure;
  }

  /** The other server has begun a stream that what is for it may go out on: whichever node has that sends it from here. */
  async onReturnWay(local: string, remote: string): Promise<void> {
    const room = this.#queues.size < MOST_QUEUES && !this.#stopped;
    if (room && this.#host.nodes !== undefined) await this.sessions.attract(this.#addressOf(local, remote));
    await this.#queues.get(keyOf({ local, remote }))?.connect(true);
  }

  /** Closes the streams to a domain; how many there were. */
  close(remote: string, reason: string): number {
    const open = this.queues.filter((queue) => queue.remote === remote && queue.stream !== undefined);
    for (const queue of open) queue.close(reason);
    return open.length;
  }

  /** Resolves when nothing is on its way any more, or after so many milliseconds. */
  async settle(ms: number): Promise<void> {
    const until = this.#now() + ms;
    while (this.#now() < until && this.queues.some(({ busy }) => busy)) {
      await new Promise((resolve) => setTimeout(resolve, SETTLING_MS));
    }
  }

  /** Closes all streams. What waits is in the keyspace, for whoever comes next; resolves when that has all of it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#ticking);
    const written = this.queues.map(async (queue) => {
      const { session } = queue;
      if (session?.backlog.empty) session.finish(STOPS);
      else {
        queue.end(STOPS);
        await session?.backlog.keepRest();
        await session?.backlog.journal.write();
      }
    });
    this.#queues.clear();
    await Promise.all(written);
    await this.sessions.ended();
  }
}

const keyOf = ({ local, remote }: Pick<RemoteQueue, 'local' | 'remote'>): string => `${remote}/${local}`;

const notAllowed = (remote: string): StanzaError =>
  new StanzaError('not-allowed', { text: wordsForSender('policy', remote) });

const tooMany = (): StanzaError =>
  new StanzaError('resource-constraint', { type: 'wait', text: 'This server talks to too many others.' });

const unreachable = (failure: ConnectionFailure, remote: string): StanzaError =>
  failure.step === 'policy'
    ? notAllowed(remote)
    : new StanzaError(failure.condition, { text: wordsForSender(failure.step, remote), cause: failure });

/** What a sender may know of a failure: not where our servers look for others, and what they see there. */
function wordsForSender(step: ConnectionStep, remote: string): string {
  switch (step) {
    case 'policy':
      return `This server does not talk to ${remote}.`;
    case 'dns':
      return `There is no server of ${remote} to be found.`;
    case 'certificate':
      return `The server of ${remote} cannot prove that it is the right one.`;
    case 'proof':
      return `The server of ${remote} does not take this one for who it is.`;
    default:
      return `The server of ${remote} cannot be reached.`;
  }
}
