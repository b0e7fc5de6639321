import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import type { KeyToVerify } from './dialback-key.ts';
import type { Negotiated, StreamManagement } from './negotiation.ts';
import type { PeerStream, PeerStreamConsumer } from './peer-stream.ts';

export interface StreamEnd {
  readonly reason: string;
}

/** How two servers have proved to each other who they are. */
export interface Proofs {
  /** How the other side has taken our word; of a stream that it began itself it is by where it connected to. */
  readonly proof: 'certificate' | 'dialback' | 'connection';
  /** How it has proved its own. */
  readonly verdict: 'certificate' | 'dns' | 'dialback';
  /** Bytes of the largest stanza that it takes, where it says so (XEP-0478). */
  readonly maxBytes: number;
}

/** Bytes that wait to be read by the other side; more wait in the queue, where they are counted. */
const MOST_BUFFERED = 262_144;

/** A stream on which stanzas go from one of our domains to another one. */
export class EstablishedStream implements Branch {
  readonly local: string;
  readonly remote: string;
  /** How the other side has taken our word for who we are, for logs and administration. */
  readonly proof: Proofs['proof'];
  /** How it has proved its own. */
  readonly verdict: Proofs['verdict'];
  readonly since = Date.now();
  /** Resolves when it is over. */
  readonly closed: Promise<StreamEnd>;
  /** Stanzas that went out. */
  sent = 0;
  #sentAt = performance.now();
  /** What it shares with other pairs, if it does. */
  readonly trunk: Trunk;
  readonly maxBytes: number;
  readonly #resolve: (end: StreamEnd) => void;
  /** How it acknowledges what it gets (XEP-0198); undefined where it does not. */
  readonly management: StreamManagement | undefined;
  /** Called with how many more it has acknowledged. */
  onAcknowledged: (count: number) => void = () => {};
  readonly #maxBytes: number;
  /** Sent and not acknowledged: always 0 where the other side does not acknowledge. */
  #open = 0;
  #acknowledged: number;
  #asked = false;
  /** Until when something has to be acknowledged. */
  #patience: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #asking: NodeJS.Immediate | undefined;
  #unknown = 0;
  readonly #keys = new Map<string, (answer: boolean | ConnectionFailure) => void>();

  constructor(local: string, remote: string, trunk: Trunk, { proof, verdict, maxBytes }: Proofs) {
    this.local = local;
    this.remote = remote;
    this.proof = negotiated.proof ?? 'dialback';
    this.verdict = negotiated.verdict;
    this.tls = negotiated.tls;
    this.management = negotiated.management;
    this.#acknowledged = negotiated.management?.resumedAt ?? 0;
    this.#maxBytes = negotiated.maxBytes;
    this.#stream = stream;
    this.#settings = settings;
    const { promise, resolve } = Promise.withResolvers<StreamEnd>();
    this.closed = promise;
    this.#resolve = resolve;
    trunk.join(this);
  }

  get kind(): Trunk['kind'] {
    return this.trunk.kind;
  }

  get address(): string {
    return this.trunk.address;
  }

  get port(): number {
    return this.trunk.port;
  }

  get tls(): Trunk['tls'] {
    return this.trunk.tls;
  }

  /** Stanzas that it has not acknowledged. */
  get unacknowledged(): number {
    return this.#open;
  }

  /** Stanzas that came on the same stream. */
  get received(): number {
    return this.trunk.received;
  }

  /** By a clock that nobody sets: when something last went, out or in. */
  get usedAt(): number {
    return Math.max(this.#sentAt, this.trunk.heardAt);
  }

  get over(): boolean {
    return this.#over || this.trunk.over;
  }

  /** False where it is over, or too much waits to be read by the other side. */
  get writable(): boolean {
    return !this.over && this.trunk.buffered < MOST_BUFFERED;
  }

  /** Calls back once when more may be sent, or it is over. */
  whenWritable(done: () => void): void {
    this.trunk.onceDrained(done);
  }

  /** Whether it is not too large for the other side. */
  takes(text: string): boolean {
    // a character is no more than three bytes
    return text.length * 3 <= this.#maxBytes || Buffer.byteLength(text) <= this.#maxBytes;
  }

  /** A stanza, as `betweenServers` writes it. */
  send(text: string): void {
    this.usedAt = performance.now();
    this.sent++;
    this.#stream.write(text);
    if (this.management !== undefined) this.#expect();
  }

  /** The other side is to acknowledge it. */
  #expect(): void {
    this.#open++;
    if (this.#asked) return;
    if (this.#open % ASK_AFTER === 0) this.#ask();
    else this.#asking ??= setImmediate(() => this.#ask());
  }

  #ask(): void {
    clearImmediate(this.#asking);
    clearTimeout(this.#again);
    this.#asking = undefined;
    this.#again = undefined;
    if (this.#asked || this.#stream.over || this.#open === 0) return;
    this.#asked = true;
    this.#stream.write(`<r xmlns='${NS.streamManagement}'/>`);
    this.#patience ??= setTimeout(() => {
      this.close('it did not acknowledge what it was sent');
    }, this.#settings().acknowledgeMs);
  }

  /** Asks whether a key is its own (XEP-0220 §2.1.2). Rejects with a ConnectionFailure. */
  verify(key: KeyToVerify): Promise<boolean> {
    return this.trunk.verify(key);
  }

  /** Closes in order. */
  close(reason: string): void {
    this.#over = true;
    this.trunk.leave(this, reason);
  }

  /** Lets go of the connection: the other side takes it for lost, and keeps the stream for whoever resumes it. */
  abandon(reason: string): void {
    this.#stream.cut(reason);
  }

  // --- what comes -------------------------------------------------------------------------------------------------

  onElement(element: Element): void {
    if (element.ns === NS.streamManagement && this.management !== undefined) this.#onManagement(element);
    else if (element.is('verify', NS.dialback)) this.#onVerified(element);
    else if (++this.#unknown > MOST_UNKNOWN) this.close('it sends what nobody has asked for');
  }

  #onManagement(element: Element): void {
    if (element.name === 'r') {
      this.#stream.write(`<a xmlns='${NS.streamManagement}' h='0'/>`); // nothing comes to us on this stream
      return;
    }
    const h = Number(element.attr('h'));
    if (element.name !== 'a' || !Number.isInteger(h)) return;
    const count = (h - this.#acknowledged) >>> 0; // modulo 2^32
    if (count > this.#open) {
      this.close('it acknowledges more than it was sent');
      return;
    }
    this.#acknowledged = h;
    this.#open -= count;
    if (count > 0) this.onAcknowledged(count);
    this.#asked = false;
    if (count > 0 || this.#open === 0) {
      clearTimeout(this.#patience);
      this.#patience = undefined;
    }
    if (count > 0) this.#ask();
    else if (this.#open > 0) this.#again ??= setTimeout(() => this.#ask(), ASK_AGAIN_MS);
  }

  #onVerified(element: Element): void {
    const [from, to, id, type] = ['from', 'to', 'id', 'type'].map((name) => element.attr(name));
    const done = this.#keys.get(`${to} ${from} ${id}`);
    if (done === undefined)
      this.#unknown++; // XEP-0220 §3.1: only what was asked here
    else if (type === 'valid' || type === 'invalid') done(type === 'valid');
    else done(new ConnectionFailure('proof', 'It does not say whether a key is its own.', { timeout: true }));
  }

  onEnd(reason: string): void {
    clearTimeout(this.#patience);
    clearTimeout(this.#again);
    clearImmediate(this.#asking);
    for (const done of this.#keys.values()) done(new ConnectionFailure('proof', `${reason}.`, { timeout: true }));
    this.#open = 0;
    this.#resolve({ reason });
  }
}

/**
 * The text of a stanza in a stream whose content namespace is `jabber:server`. What stands in it in that of clients means
 * the same (RFC 6120 §4.8.3), unless it says so itself: then it has to be written anew.
 */
export function betweenServers(stanza: Stanza): string {
  return (stanza.holds(NS.client) ? stanza.with({ children: stanza.children }) : stanza).toString();
}
