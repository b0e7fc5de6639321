import type { LimitName } from '@parley/metrics/catalogue';
import type { Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { Dropped } from '../pipeline.ts';
import { ConnectionFailure } from './connection-failure.ts';
import type { EstablishedStream } from './outgoing-stream.ts';
import type { PeerPolicy } from './policy.ts';
import { type QueueSettings, RemoteQueue, wordsForSender } from './remote-queue.ts';
import { StanzasInMemory, type Together, type WaitingStanzas, weight } from './waiting-stanzas.ts';

export interface RemoteRoutingSettings extends QueueSettings {
  readonly maxStanzas: number;
  readonly maxBytes: number;
  readonly maxTotalBytes: number;
  /** Streams at the same time. */
  readonly outgoing: number;
}

export interface RemoteRoutingHost {
  readonly settings: () => RemoteRoutingSettings;
  readonly policy: (remote: string) => PeerPolicy;
  /** Whether a domain, or a service below it, is one that this server speaks for. */
  isOurs(domain: string): boolean;
  open(local: string, remote: string): Promise<EstablishedStream>;
  /** Answers the sender of a stanza with an error, where the rules allow an answer. */
  answer(stanza: Stanza, error: StanzaError): void;
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
export const STOPS = 'the server stops';
/** Pairs of domains that something is remembered of. */
const MOST_QUEUES = 20_000;

/** Stanzas for other servers: where each waits, and what becomes of it where nobody takes it. */
export class RemoteRouting {
  readonly #host: RemoteRoutingHost;
  readonly #queues = new Map<string, RemoteQueue>();
  readonly #now: () => number;
  /** What waits for all domains together. */
  readonly waiting: Together = { bytes: 0, stanzas: 0 };
  #stopped = false;
  #ticking: NodeJS.Timeout | undefined;

  constructor(host: RemoteRoutingHost, now: () => number = () => performance.now()) {
    this.#host = host;
    this.#now = now;
  }

  get queues(): readonly RemoteQueue[] {
    return [...this.#queues.values()];
  }

  /** Takes a stanza for another server. Throws a StanzaError where it is refused at once; presence is dropped then. */
  send(stanza: Stanza): void {
    try {
      this.#send(stanza);
    } catch (error) {
      const refused = error instanceof ConnectionFailure ? unreachable(error, stanza.to?.domain ?? '') : error;
      if (stanza.kind === 'presence') throw new Dropped();
      throw refused;
    }
  }

  #send(stanza: Stanza): void {
    const { from, to } = stanza;
    if (from === undefined || to === undefined || !this.#host.isOurs(from.domain)) {
      throw new Dropped(); // nobody relays for others: it could go round for ever
    }
    const policy = this.#host.policy(to.domain);
    if (!policy.allow || !policy.stanzas.has(stanza.kind)) {
      throw new StanzaError('not-allowed', { text: wordsForSender('policy', to.domain) });
    }
    const sent = policy.stripPresence && stanza.kind === 'presence' ? stanza.with({ children: [] }) : stanza;
    const queue = this.#queue(from.domain, to.domain);
    if (!queue.ready) this.#checkRoom(queue, sent);
    queue.send(sent);
    this.#host.onSent(sent);
  }

  #checkRoom({ waiting, remote }: RemoteQueue, stanza: Stanza): void {
    const { maxStanzas, maxBytes, maxTotalBytes } = this.#host.settings();
    const bytes = weight(stanza);
    const limit =
      waiting.size >= maxStanzas
        ? 'federation-queue-stanzas'
        : waiting.bytes + bytes > maxBytes
          ? 'federation-queue-bytes'
          : this.waiting.bytes + bytes > maxTotalBytes
            ? 'federation-queues-bytes'
            : undefined;
    if (limit === undefined) return;
    this.#host.onLimit(limit, remote);
    throw new StanzaError('resource-constraint', { type: 'wait', text: `Too much waits for ${remote} already.` });
  }

  #queue(local: string, remote: string): RemoteQueue {
    const key = `${local} ${remote}`;
    const before = this.#queues.get(key);
    if (before !== undefined) return before;
    if (this.#queues.size >= MOST_QUEUES || this.#stopped) {
      throw new StanzaError('resource-constraint', { type: 'wait', text: 'This server talks to too many others.' });
    }
    const host = this.#host;
    const waiting: WaitingStanzas = new StanzasInMemory(this.waiting);
    const queue = new RemoteQueue(local, remote, {
      settings: host.settings,
      waiting,
      open: () => {
        this.#makeRoom();
        return host.open(local, remote);
      },
      giveUp: (stanza, failure) => {
        if (stanza.kind !== 'presence') host.answer(stanza, unreachable(failure, remote));
      },
      refuse: (stanza, error) => {
        if (stanza.kind !== 'presence') host.answer(stanza, error);
      },
      onOpen: (stream) => {
        if (this.#stopped) stream.close(STOPS);
        host.onOpen(stream);
      },
      onEnd: (stream, reason) => host.onEnd(stream, reason),
      onFailure: (failure, retryMs) => host.onFailure(local, remote, failure, retryMs),
      now: this.#now,
      random: Math.random,
    });
    this.#queues.set(key, queue);
    this.#ticking ??= setInterval(() => this.#tick(), TICK_MS).unref();
    return queue;
  }

  /** One stream more: the one that was idle longest goes where there are too many. */
  #makeRoom(): void {
    const open = this.queues.flatMap(({ stream }) => stream ?? []);
    if (open.length < this.#host.settings().outgoing) return;
    const idle = open.reduce((one, other) => (other.usedAt < one.usedAt ? other : one));
    idle.close('there are too many streams');
  }

  #tick(): void {
    for (const [key, queue] of this.#queues) if (!queue.tick()) this.#queues.delete(key);
    if (this.#queues.size > 0) return;
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }

  /** The stream from one of our domains to another one, if there is one. */
  stream(local: string, remote: string): EstablishedStream | undefined {
    return this.#queues.get(`${local} ${remote}`)?.stream;
  }

  /** Connects now, however long it would have to wait. Rejects with a ConnectionFailure. */
  async connect(local: string, remote: string): Promise<void> {
    const queue = this.#queue(local, remote);
    await queue.connect(true);
    if (queue.stream === undefined && queue.failure !== undefined) throw queue.failure;
  }

  /** Closes the streams to a domain; how many there were. */
  close(remote: string, reason: string): number {
    const streams = this.queues.filter((queue) => queue.remote === remote).flatMap(({ stream }) => stream ?? []);
    for (const stream of streams) stream.close(reason);
    return streams.length;
  }

  /** Resolves when nothing is on its way any more, or after so many milliseconds. */
  async settle(ms: number): Promise<void> {
    const until = this.#now() + ms;
    while (this.#now() < until && this.queues.some(({ busy }) => busy)) {
      await new Promise((resolve) => setTimeout(resolve, SETTLING_MS));
    }
  }

  /** Answers those whose stanzas still wait; what comes later may still go. */
  giveUpAll(reason: string): void {
    for (const queue of this.#queues.values()) queue.giveUpAll(reason);
  }

  /** Closes all streams, and answers those whose stanzas still wait. */
  stop(): void {
    this.#stopped = true;
    clearInterval(this.#ticking);
    for (const queue of this.#queues.values()) queue.stop(STOPS);
  }
}

const unreachable = (failure: ConnectionFailure, remote: string): StanzaError =>
  new StanzaError(failure.condition, { text: wordsForSender(failure.step, remote), cause: failure });
