import { Element } from '@parley/xmpp/element';
import type { Stanza } from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { ConnectionFailure, type ConnectionStep } from './connection-failure.ts';
import type { EstablishedStream } from './outgoing-stream.ts';
import type { WaitingStanzas } from './waiting-stanzas.ts';

export interface QueueSettings {
  /** How long a stanza waits. */
  readonly waitMs: number;
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
  readonly idleMs: number;
}

export interface RemoteQueueHost {
  readonly settings: () => QueueSettings;
  readonly waiting: WaitingStanzas;
  open(): Promise<EstablishedStream>;
  /** Answers the sender, if there is an answer. Each stanza comes here once, or goes out, or both where that is not known. */
  giveUp(stanza: Stanza, failure: ConnectionFailure): void;
  /** The same, where the stanza itself is the reason. */
  refuse(stanza: Stanza, error: StanzaError): void;
  onOpen(stream: EstablishedStream): void;
  onEnd(stream: EstablishedStream, reason: string): void;
  onFailure(failure: ConnectionFailure, retryMs: number): void;
  now(): number;
  random(): number;
}

/** A stanza that was on so many streams that ended before it was acknowledged is not sent again. */
const MOST_SENDINGS = 3;
/** A stream that ends sooner is no better than none. */
const SHORT_MS = 10_000;

/** What goes from one of our domains to another one: the stream, or what waits for it. */
export class RemoteQueue {
  readonly local: string;
  readonly remote: string;
  readonly #host: RemoteQueueHost;
  #stream: EstablishedStream | undefined;
  #openedAt = 0;
  /** It is being connected; resolves either way. */
  #attempt: Promise<void> | undefined;
  #draining = false;
  #failures = 0;
  #failure: ConnectionFailure | undefined;
  /** Nothing is tried before. */
  #restsUntil = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #sendings = new WeakMap<Stanza, number>();

  constructor(local: string, remote: string, host: RemoteQueueHost) {
    this.local = local;
    this.remote = remote;
    this.#host = host;
  }

  get stream(): EstablishedStream | undefined {
    return this.#stream;
  }

  get waiting(): WaitingStanzas {
    return this.#host.waiting;
  }

  get state(): 'open' | 'connecting' | 'resting' | 'idle' {
    if (this.#stream !== undefined) return 'open';
    if (this.#attempt !== undefined) return 'connecting';
    return this.#host.now() < this.#restsUntil ? 'resting' : 'idle';
  }

  /** Why there was no stream lately. */
  get failure(): ConnectionFailure | undefined {
    return this.#failure;
  }

  /** Whether a stanza would go out at once. */
  get ready(): boolean {
    return this.#stream?.writable === true && this.waiting.size === 0;
  }

  /** Something is on its way, or may be at any moment. */
  get busy(): boolean {
    if (this.#stream !== undefined) return this.waiting.size > 0 || this.#stream.unacknowledged > 0;
    return this.#attempt !== undefined && this.waiting.size > 0;
  }

  /** Sends it, or has it wait. Throws a StanzaError where it is too large for the other side, and the failure where it could not be tried again while it waits. */
  send(stanza: Stanza): void {
    if (this.ready) {
      if (this.#stream?.send(stanza) === false) throw tooLarge();
      return;
    }
    const now = this.#host.now();
    const until = now + this.#host.settings().waitMs;
    if (this.#stream === undefined && this.#attempt === undefined && now < this.#restsUntil) {
      const failure = this.#failure as ConnectionFailure;
      if (failure.lasting || until < this.#restsUntil) throw failure;
    }
    this.waiting.add(stanza, until);
    if (this.#stream !== undefined) this.#flush();
    else void this.connect();
  }

  /** Connects unless it does already, or has to rest. `now`: it need not rest. */
  async connect(now = false): Promise<void> {
    if (this.#stream !== undefined) return;
    const rest = this.#restsUntil - this.#host.now();
    if (!now && rest > 0) {
      this.#timer ??= setTimeout(() => this.#rested(), rest).unref();
      return;
    }
    this.#attempt ??= this.#host.open().then(
      (stream) => this.#onOpen(stream),
      (error) => this.#onFailure(error),
    );
    await this.#attempt;
  }

  #onOpen(stream: EstablishedStream): void {
    this.#attempt = undefined;
    this.#stream = stream;
    this.#openedAt = this.#host.now();
    this.#failure = undefined;
    this.#host.onOpen(stream);
    void stream.closed.then((end) => this.#onEnd(stream, end.reason, end.unacknowledged));
    this.#flush();
  }

  #flush(): void {
    const stream = this.#stream;
    if (stream === undefined || this.#draining) return;
    while (stream.writable) {
      const stanza = this.waiting.take();
      if (stanza === undefined) return;
      if (!stream.send(stanza)) this.#host.refuse(stanza, tooLarge());
    }
    if (stream.over) return;
    this.#draining = true;
    stream.whenWritable(() => {
      this.#draining = false;
      this.#flush();
    });
  }

  #onEnd(stream: EstablishedStream, reason: string, unacknowledged: readonly Stanza[]): void {
    this.#stream = undefined;
    this.#draining = false;
    this.#host.onEnd(stream, reason);
    const again = unacknowledged.filter((stanza) => {
      const sendings = (this.#sendings.get(stanza) ?? 0) + 1;
      this.#sendings.set(stanza, sendings);
      if (sendings < MOST_SENDINGS) return true;
      this.#giveUp(stanza, new ConnectionFailure('connection', `${reason}.`, { timeout: true }));
      return false;
    });
    this.waiting.putBack(again, this.#host.now() + this.#host.settings().waitMs);
    const short = this.#host.now() - this.#openedAt < SHORT_MS;
    if (!short) this.#failures = 0;
    if (this.waiting.size === 0) return;
    if (short) this.#rest(new ConnectionFailure('connection', `${reason}.`, { timeout: true }));
    else void this.connect();
  }

  #onFailure(error: unknown): void {
    this.#attempt = undefined;
    this.#rest(
      error instanceof ConnectionFailure
        ? error
        : new ConnectionFailure('connection', 'A fault of ours.', { condition: 'internal-server-error', cause: error }),
    );
  }

  #rest(failure: ConnectionFailure): void {
    const { firstRetryMs, maxRetryMs } = this.#host.settings();
    const delay = Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(this.#failures, 30));
    const rest = delay * (0.75 + 0.5 * this.#host.random());
    this.#failures++;
    this.#failure = failure;
    this.#restsUntil = this.#host.now() + rest;
    this.#host.onFailure(failure, rest);
    // those whose time is over before anything is tried again need not wait for it
    const late = failure.lasting ? this.waiting.takeAll() : this.waiting.takeLate(this.#restsUntil);
    for (const stanza of late) this.#giveUp(stanza, failure);
    if (this.waiting.size > 0) void this.connect();
  }

  #rested(): void {
    this.#timer = undefined;
    if (this.waiting.size > 0) void this.connect(true);
  }

  #giveUp(stanza: Stanza, failure: ConnectionFailure): void {
    this.#host.giveUp(stanza, failure);
  }

  /** Called every second or so. False: there is nothing to remember any more. */
  tick(): boolean {
    const now = this.#host.now();
    const failure = () => new ConnectionFailure('connection', 'It took too long.', { timeout: true });
    for (const stanza of this.waiting.takeLate(now)) this.#giveUp(stanza, this.#failure ?? failure());
    const { idleMs, maxRetryMs } = this.#host.settings();
    const stream = this.#stream;
    if (stream !== undefined && stream.unacknowledged === 0 && performance.now() - stream.usedAt > idleMs) {
      stream.close('nothing has gone for a while');
    }
    if (stream !== undefined || this.#attempt !== undefined || this.waiting.size > 0) return true;
    return this.#failures > 0 && now < this.#restsUntil + maxRetryMs;
  }

  /** Gives up what waits. */
  giveUpAll(reason: string): void {
    const failure = new ConnectionFailure('connection', `${reason}.`, { timeout: true });
    for (const stanza of this.waiting.takeAll()) this.#giveUp(stanza, failure);
  }

  /** Closes the stream, if there is one, and gives up what waits. */
  stop(reason: string): void {
    clearTimeout(this.#timer);
    this.giveUpAll(reason);
    this.#stream?.close(reason);
  }
}

/** XEP-0205 §4.5, XEP-0478 */
function tooLarge(): StanzaError {
  const application = Element.of('stanza-too-big', 'urn:xmpp:errors');
  return new StanzaError('policy-violation', { text: 'It is too large for the other server.', application });
}

/** What a sender may know of a failure: not where our servers look for others, and what they see there. */
export function wordsForSender(step: ConnectionStep, remote: string): string {
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
