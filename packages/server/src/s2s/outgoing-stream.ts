import { type Element, serializeAttributes } from '@parley/xmpp/element';
import { escapeText } from '@parley/xmpp/escape';
import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import type { PeerProof } from '../net/peer-connection.ts';
import { ConnectionFailure } from './connection-failure.ts';
import type { KeyToVerify } from './dialback-key.ts';
import type { Negotiated } from './negotiation.ts';
import type { PeerStream, PeerStreamConsumer } from './peer-stream.ts';

export interface StreamEnd {
  readonly reason: string;
  /** What the other side has not acknowledged, oldest first. */
  readonly unacknowledged: readonly Stanza[];
}

export interface OutgoingSettings {
  /** Time for an acknowledgement, and for a key to be verified. */
  readonly acknowledgeMs: number;
  readonly verifyMs: number;
}

/** Bytes that wait to be read by the other side; more wait in the queue, where they are counted. */
const MOST_BUFFERED = 262_144;
/** Elements that mean nothing here. */
const MOST_UNKNOWN = 100;
/** An acknowledgement is asked for after so many stanzas, and when nothing more follows. */
const ASK_AFTER = 50;
/** Who has acknowledged nothing new is asked again after this time. */
const ASK_AGAIN_MS = 2000;

/** A stream from one of our domains to another one, on which stanzas go out. */
export class EstablishedStream implements PeerStreamConsumer {
  readonly local: string;
  readonly remote: string;
  /** How the other side has taken our word for who we are, for logs and administration. */
  readonly proof: 'certificate' | 'dialback';
  /** How it has proved its own. */
  readonly verdict: Negotiated['verdict'];
  readonly tls: PeerProof | undefined;
  readonly since = Date.now();
  /** Resolves when it is over. */
  readonly closed: Promise<StreamEnd>;
  /** By a clock that nobody sets: when something last went out. */
  usedAt = performance.now();
  /** Stanzas that went out. */
  sent = 0;
  readonly #stream: PeerStream;
  readonly #settings: () => OutgoingSettings;
  readonly #resolve: (end: StreamEnd) => void;
  readonly #acknowledges: boolean;
  readonly #maxBytes: number;
  /** Sent and not acknowledged, oldest first; always empty where the other side does not acknowledge. */
  #open: Stanza[] = [];
  #acknowledged = 0;
  #asked = false;
  /** Until when something has to be acknowledged. */
  #patience: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #asking: NodeJS.Immediate | undefined;
  #unknown = 0;
  readonly #keys = new Map<string, (answer: boolean | ConnectionFailure) => void>();

  constructor(
    local: string,
    remote: string,
    stream: PeerStream,
    negotiated: Negotiated,
    settings: () => OutgoingSettings,
  ) {
    this.local = local;
    this.remote = remote;
    this.proof = negotiated.proof ?? 'dialback';
    this.verdict = negotiated.verdict;
    this.tls = negotiated.tls;
    this.#acknowledges = negotiated.acknowledges;
    this.#maxBytes = negotiated.maxBytes;
    this.#stream = stream;
    this.#settings = settings;
    const { promise, resolve } = Promise.withResolvers<StreamEnd>();
    this.closed = promise;
    this.#resolve = resolve;
    stream.consume(this);
  }

  get address(): string {
    return this.#stream.connection.address;
  }

  get port(): number {
    return this.#stream.connection.port;
  }

  /** The other side says what it has got (XEP-0198). */
  get acknowledges(): boolean {
    return this.#acknowledges;
  }

  /** Stanzas that it has not acknowledged. */
  get unacknowledged(): number {
    return this.#open.length;
  }

  get over(): boolean {
    return this.#stream.over;
  }

  /** False where it is over, or too much waits to be read by the other side. */
  get writable(): boolean {
    return !this.#stream.over && this.#stream.connection.buffered < MOST_BUFFERED;
  }

  /** Calls back once when more may be sent, or it is over. */
  whenWritable(done: () => void): void {
    this.#stream.connection.onceDrained(done);
  }

  /** False where it is too large for the other side. */
  send(stanza: Stanza): boolean {
    const text = betweenServers(stanza);
    // a character is no more than three bytes
    if (text.length * 3 > this.#maxBytes && Buffer.byteLength(text) > this.#maxBytes) return false;
    this.usedAt = performance.now();
    this.sent++;
    this.#stream.write(text);
    if (this.#acknowledges) this.#expect(stanza);
    return true;
  }

  /** The other side is to acknowledge it. */
  #expect(stanza: Stanza): void {
    this.#open.push(stanza);
    if (this.#asked) return;
    if (this.#open.length % ASK_AFTER === 0) this.#ask();
    else this.#asking ??= setImmediate(() => this.#ask());
  }

  #ask(): void {
    clearImmediate(this.#asking);
    clearTimeout(this.#again);
    this.#asking = undefined;
    this.#again = undefined;
    if (this.#asked || this.#stream.over || this.#open.length === 0) return;
    this.#asked = true;
    this.#stream.write(`<r xmlns='${NS.streamManagement}'/>`);
    this.#patience ??= setTimeout(() => {
      this.close('it did not acknowledge what it was sent');
    }, this.#settings().acknowledgeMs);
  }

  /** Asks whether a key is its own (XEP-0220 §2.1.2). Rejects with a ConnectionFailure. */
  async verify({ receiving, originating, streamId, key }: KeyToVerify): Promise<boolean> {
    const name = `${receiving} ${originating} ${streamId}`;
    if (this.#stream.over || this.#keys.has(name))
      throw new ConnectionFailure('proof', 'The stream is over.', { timeout: true });
    const { promise, resolve } = Promise.withResolvers<boolean | ConnectionFailure>();
    this.#keys.set(name, resolve);
    const attributes = serializeAttributes(['from', receiving, 'to', originating, 'id', streamId]);
    this.#stream.write(`<db:verify${attributes}>${escapeText(key)}</db:verify>`);
    const timer = setTimeout(() => {
      resolve(new ConnectionFailure('proof', 'It did not say in time whether a key is its own.', { timeout: true }));
    }, this.#settings().verifyMs);
    const answer = await promise;
    clearTimeout(timer);
    this.#keys.delete(name);
    if (answer instanceof ConnectionFailure) throw answer;
    return answer;
  }

  /** Closes in order. */
  close(reason: string): void {
    this.#stream.close(reason);
  }

  // --- what comes -------------------------------------------------------------------------------------------------

  onElement(element: Element): void {
    if (element.ns === NS.streamManagement && this.#acknowledges) this.#onManagement(element);
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
    if (count > this.#open.length) {
      this.close('it acknowledges more than it was sent');
      return;
    }
    this.#acknowledged = h;
    this.#open.splice(0, count);
    this.#asked = false;
    if (count > 0 || this.#open.length === 0) {
      clearTimeout(this.#patience);
      this.#patience = undefined;
    }
    if (count > 0) this.#ask();
    else if (this.#open.length > 0) this.#again ??= setTimeout(() => this.#ask(), ASK_AGAIN_MS);
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
    const unacknowledged = this.#open;
    this.#open = [];
    this.#resolve({ reason, unacknowledged });
  }
}

/**
 * The text of a stanza in a stream whose content namespace is `jabber:server`. What stands in it in that of clients means
 * the same (RFC 6120 §4.8.3), unless it says so itself: then it has to be written anew.
 */
export function betweenServers(stanza: Stanza): string {
  const text = stanza.toString();
  return text.includes(NS.client) ? stanza.with({ children: stanza.children }).toString() : text;
}
