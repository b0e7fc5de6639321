import { randomBytes } from 'node:crypto';
import type { LimitName } from '@parley/metrics/catalogue';
import type { Element } from '@parley/xmpp/element';
import type { Jid } from '@parley/xmpp/jid';
import {
  errorElement,
  isStanza,
  type Origin,
  type Presence,
  type Stanza,
  type StanzaKind,
  stanzaOf,
} from '@parley/xmpp/stanza';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { checkStanza } from '@parley/xmpp/stanza-validity';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Awaitable } from '../pipeline.ts';
import type { Stream } from '../stream/stream.ts';
import type { StreamConsumer } from '../stream/stream-consumer.ts';
import { OUR_LANG } from '../stream/stream-lang.ts';
import type { Backlog } from './backlog.ts';
import type { Management } from './management.ts';
import { RETURNED, Returned } from './returned.ts';

/** What others need to know of a session to send to it. */
export interface Route {
  readonly jid: Jid;
  readonly sessionId: string;
  /** Milliseconds since 1970; later than whatever had the resource before. */
  readonly boundAt: number;
  /** Has sent available presence (RFC 6121 §4.2). */
  readonly available: boolean;
  readonly priority: number;
  /** Has asked for its roster (RFC 6121 §2.2): gets roster pushes. */
  readonly interested: boolean;
  /** Wants copies of the account's other conversations (XEP-0280). */
  readonly carbons: boolean;
}

/** What a session needs of the node. */
export interface SessionHost {
  /** Takes a stanza from the client, valid, `from` stamped. Rejects or throws a StanzaError to have it answered. */
  process(stanza: Stanza, session: Session): Awaitable<unknown>;
  /** Runs what stands between routing and the wire, and in the end has the stanza written. */
  toSession(stanza: Stanza, session: Session): Awaitable<boolean>;
  /** The error that answers a stanza, or undefined where none may be sent. Faults of ours are logged here. */
  errorFor(stanza: Stanza, error: unknown): Stanza | undefined;
  onEnd(session: Session, reason: string): void;
  /** The stream is lost, and the session waits for its client. */
  onDetach(session: Session, reason: string): void;
  /** Another node has it. */
  onMoved(session: Session, reason: string): void;
  /** What others know of it has changed. */
  onChange(session: Session): void;
  /** A stanza for a session that has ended meanwhile. */
  onLate(stanza: Stanza): Awaitable<void>;
  /** Counts a stanza that came, proper or not; a number of milliseconds says how long not to read on. */
  onReceived(session: Session, kind: StanzaKind): number;
  onSent(session: Session, stanza: Stanza): void;
  /** What may wait to be written to one client. */
  outputLimits(): { readonly maxBytes: number; readonly maxStanzas: number };
}

/** A bound resource. */
export class Session implements Route, StreamConsumer {
  readonly jid: Jid;
  readonly account: Jid;
  readonly sessionId: string;
  /** XEP-0198, once the client has enabled it. */
  management: Management | undefined;
  #stream: Stream;
  boundAt = Date.now();
  /** To whom it has sent available presence of its own accord. */
  directed: Iterable<Jid> | undefined;
  #presence: Presence | undefined;
  #priority = 0;
  #interested = false;
  #carbonsSince = Number.POSITIVE_INFINITY;
  #receivingSince = Number.POSITIVE_INFINITY;
  readonly #host: SessionHost;
  /** Stanzas written since the client was last seen to keep up. */
  #waiting = 0;
  /** What may come back once more, where no journal knows of it. */
  #returned: Returned | undefined;
  #ended = false;
  #movedAway = false;

  constructor(jid: Jid, stream: Stream, host: SessionHost, sessionId = randomBytes(8).toString('hex')) {
    this.jid = jid;
    this.account = jid.bare;
    this.sessionId = sessionId;
    this.#stream = stream;
    this.#host = host;
  }

  /** The stream that it has, or had last. */
  get stream(): Stream {
    return this.#stream;
  }

  /** What it has not acknowledged, where that is known. */
  get backlog(): Backlog | undefined {
    return this.management?.backlog;
  }

  /** Nobody was promised that a stanza gets there, whatever becomes of this node: nothing need be known of it anywhere. */
  mayMiss(_stanza: Stanza): boolean {
    return false;
  }

  /** Resolves when the stanza from the client is done with that is being dealt with, if there is one. */
  get handling(): Promise<void> | undefined {
    return this.management?.handling;
  }

  /** It waits for its client, which has lost its stream. */
  get detached(): boolean {
    return this.backlog?.detached ?? false;
  }

  /** It is connected, and its client has acknowledged everything that was taken for it by then (milliseconds since 1970). */
  hasAcknowledged(at: number): boolean {
    return !this.detached && (this.backlog?.unacknowledgedSince ?? Number.POSITIVE_INFINITY) > at;
  }

  get available(): boolean {
    return this.#presence !== undefined;
  }

  /** The last available presence, as broadcast; undefined while unavailable. */
  get presence(): Presence | undefined {
    return this.#presence;
  }

  set presence(presence: Presence | undefined) {
    this.#presence = presence;
    this.#onPresence();
  }

  get priority(): number {
    return this.#priority;
  }

  set priority(priority: number) {
    this.#priority = priority;
    this.#onPresence();
  }

  /** Since when it gets the messages for its account: milliseconds since 1970, Infinity while it does not. */
  get receivingSince(): number {
    return this.#receivingSince;
  }

  #onPresence(): void {
    const receiving = this.#presence !== undefined && this.#priority >= 0;
    if (!receiving) this.#receivingSince = Number.POSITIVE_INFINITY;
    else if (this.#receivingSince === Number.POSITIVE_INFINITY) this.#receivingSince = Date.now();
    this.#host.onChange(this);
  }

  /** What is recorded of it beside its presence is another now. */
  changed(): void {
    this.#host.onChange(this);
  }

  get interested(): boolean {
    return this.#interested;
  }

  set interested(interested: boolean) {
    this.#interested = interested;
    this.#host.onChange(this);
  }

  get carbons(): boolean {
    return this.#carbonsSince !== Number.POSITIVE_INFINITY;
  }

  set carbons(wanted: boolean) {
    if (wanted === this.carbons) return;
    this.#carbonsSince = wanted ? Date.now() : Number.POSITIVE_INFINITY;
    this.#host.onChange(this);
  }

  /** Since when it has wanted copies: milliseconds since 1970, Infinity while it does not. */
  get carbonsSince(): number {
    return this.#carbonsSince;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Another node has it: what this one had not taken for good is to follow it there. */
  get movedAway(): boolean {
    return this.#movedAway;
  }

  /** One first-level element from the client. */
  receive(element: Element): Awaitable<void> {
    if (!isStanza(element)) throw new StreamError('unsupported-stanza-type'); // RFC 6120 §4.9.3.24
    const kind = element.name as StanzaKind;
    const wait = this.#host.onReceived(this, kind);
    if (wait > 0) this.#stream.throttle(wait);
    const done = this.#receive(element);
    return this.management === undefined ? done : this.management.handle(kind, done);
  }

  #receive(element: Element): Awaitable<void> {
    let stanza: Stanza;
    try {
      stanza = stanzaOf(element);
    } catch (error) {
      if (!(error instanceof StanzaError)) throw error;
      const type = element.attr('type');
      return type === 'error' || type === 'result' ? undefined : this.send(stanzaOf(errorElement(element, error)));
    }
    // RFC 6120 §8.1.2.1: what the client says of itself must be true
    const { from } = stanza;
    if (from !== undefined && !from.equals(this.jid) && !from.equals(this.account)) {
      throw new StreamError('invalid-from');
    }
    stanza = stanza.withFrom(this.jid);
    // RFC 6120 §8.1.5: without a language it is in that of its stream, which the recipient does not know
    if (this.stream.lang !== OUR_LANG) stanza = stanza.withLang(this.stream.lang);
    // whoever is told that it is safe must be able to count on it, be it that the session cannot be resumed
    if (this.management !== undefined) {
      stanza = stanza.withOrigin({ sid: this.sessionId, k: this.management.nextInbound, effect: 0 });
    }
    try {
      checkStanza(stanza);
      const answer = this.#host.process(stanza, this);
      if (answer instanceof Promise) {
        return answer.then(
          () => undefined,
          (error) => this.#answer(stanza, error),
        );
      }
    } catch (error) {
      return this.#answer(stanza, error);
    }
  }

  #answer(stanza: Stanza, error: unknown): Awaitable<void> {
    if (error instanceof StreamError) throw error;
    const answer = this.#host.errorFor(stanza, error);
    if (answer !== undefined) return this.send(answer);
  }

  /**
   * Has a stanza written to the client. Only the journal calls this, and what answers this very session. The promise, if
   * there is one, resolves when the stanza is committed.
   */
  send(stanza: Stanza): Awaitable<void> {
    if (this.#ended) return this.#host.onLate(stanza);
    // A fault here is logged and goes no further: others get the same stanza, and its sender is long done with it.
    const failed = (error: unknown) => void this.#host.errorFor(stanza, error);
    try {
      const taken = this.#host.toSession(stanza, this);
      if (taken instanceof Promise) return taken.then(() => undefined, failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Writes past everything that stands between routing and the wire. */
  write(stanza: Stanza): Awaitable<void> {
    if (this.#ended) return this.#host.onLate(stanza);
    if (this.#stream.holding && !this.#stream.closed) return this.#writeLater(stanza);
    const { origin } = stanza;
    if (origin?.effect === RETURNED && this.#hadBefore(origin)) return;
    this.#host.onSent(this, stanza);
    if (this.management !== undefined) return this.management.send(stanza);
    this.#stream.send(stanza.toString());
    if (this.#stream.transport.blocked) this.#checkOutput();
    else this.#waiting = 0;
  }

  #hadBefore(origin: Origin): boolean {
    if (this.management?.resumable) return false; // its journal looks
    this.#returned ??= new Returned();
    return !this.#returned.add(origin);
  }

  /** The client does not know yet that it has the session, nor whether stanzas are counted. */
  #writeLater(stanza: Stanza): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.afterHolding(() => {
        try {
          resolve(this.write(stanza));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** The client reads more slowly than it is written to. */
  #checkOutput(): void {
    const { maxBytes, maxStanzas } = this.#host.outputLimits();
    this.#waiting++;
    if (this.#stream.transport.buffered > maxBytes) this.tooSlow('output-bytes');
    else if (this.#waiting > maxStanzas) this.tooSlow('output-stanzas');
  }

  /** Cuts the connection: what waits for a client that does not read would grow without bound. */
  tooSlow(limit: LimitName): void {
    this.#stream.host.onLimit(this.#stream, limit);
    this.#stream.cut('it reads too slowly');
  }

  /** Ends the session and its stream, with an error or in order. */
  end(error?: StreamError): void {
    if (this.detached) this.finish(error?.condition ?? 'ended by the server');
    else if (error) this.#stream.error(error);
    else this.#stream.close();
  }

  /** Ends the session whatever its stream could still do. */
  giveUp(reason: string): void {
    this.finish(reason);
    this.#stream.cut(reason);
  }

  /** The stream that it has is not its own any more: another takes its place (XEP-0198 §5). */
  release(): void {
    this.#stream.release();
    this.#stream.error(new StreamError('conflict', 'The session was resumed on another stream.'));
  }

  attach(stream: Stream): void {
    this.#stream = stream;
    stream.bind(this);
    this.#host.onChange(this);
  }

  onStreamEnd(reason: string, lost: boolean): void {
    if (this.#ended) return;
    if (lost && this.management?.resumable) this.detach(reason);
    else this.finish(reason);
  }

  /** The stream is lost: a resumable session waits for its client. */
  detach(reason: string): void {
    this.management?.detach();
    this.#host.onDetach(this, reason);
  }

  /** Another node has the session from now on: here it is forgotten, and nobody is told that it is over. */
  moved(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#movedAway = true;
    this.#host.onMoved(this, reason);
    this.#stream.release();
    this.#stream.error(new StreamError('conflict', 'The session was resumed on another stream.'));
  }

  /** The session is over. */
  finish(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#host.onEnd(this, reason);
  }
}
