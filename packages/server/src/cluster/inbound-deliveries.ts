import type { Origin, Stanza } from '@parley/xmpp/stanza';
import { stanzaForClient, stanzaFromNode } from '@parley/xmpp/stanza-text';
import type { Awaitable } from '../pipeline.ts';
import type { Session } from '../session/session.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { type AnswerItem, decodeAcknowledged, decodeDeliver, encodeAnswers } from './items.ts';
import { ToldTraces } from './told-traces.ts';

export interface InboundDeliveriesHost {
  own(sid: string): Session | undefined;
  send(to: string, item: Buffer): void;
  /** Hands a stanza on as if it had just come. */
  route(stanza: Stanza): Awaitable<void>;
  /** A stanza for a session that is not here, and whose sender does not wait to hear of it. */
  onLate(stanza: Stanza): Awaitable<void>;
  /** Undefined where nothing is traced. */
  readonly tracing?: Tracing | undefined;
}

/** No stanza is on its way for longer than this: its sender is given up long before. */
const REFUSED_MS = 60_000;

/**
 * Stanzas that other nodes have for the sessions of this one.
 *
 * Who is told that a session is not here sends the stanza once more, with all that went after it. Of those, none may be
 * taken where the session comes here meanwhile: it would be newer than what is to come before it. So they are refused until
 * the sender begins anew.
 */
export class InboundDeliveries {
  readonly #host: InboundDeliveriesHost;
  /** Answers that go out at the end of the turn. */
  readonly #answers = new Map<string, AnswerItem[]>();
  /** Senders, and sessions of theirs that were not here, with the time of it: the oldest first. */
  readonly #refused = new Map<string, number>();
  readonly #traced: ToldTraces;

  constructor(host: InboundDeliveriesHost) {
    this.#host = host;
    this.#traced = new ToldTraces(host.tracing);
  }

  /** The next delivery from this node is part of a trace. */
  traced(from: string, item: Buffer): void {
    this.#traced.told(from, item);
  }

  /** Throws where the item cannot be read. */
  receive(from: string, item: Buffer): void {
    const trace = this.#traced.join(from);
    if (trace === undefined) void this.#receive(from, item);
    else void trace.run(() => this.#receive(from, item));
  }

  /** The promise, if there is one, resolves when it is taken. */
  #receive(from: string, item: Buffer): Awaitable<void> {
    const { id, sid, first, origin, text } = decodeDeliver(item);
    const session = this.#host.own(sid);
    if (id === 0 && session !== undefined) {
      return this.#take(session, stanzaForClient(text, [session.jid, session.account], origin));
    }
    const stanza = this.#read(text, origin, () => this.answer(from, id, true));
    if (id === 0) return this.#host.onLate(stanza);
    const key = `${from} ${sid}`;
    if (first) this.#refused.delete(key);
    if (session === undefined || this.#refused.has(key)) {
      this.#refuse(from, id, key);
      return;
    }
    const taken = this.#take(session, stanza);
    if (taken instanceof Promise) {
      return taken.then(() => (session.movedAway ? this.#refuse(from, id, key) : this.answer(from, id, true)));
    }
    this.answer(from, id, true);
  }

  /** A stanza that cannot be read would not be read any better another time: it is `over`. */
  #read(text: Buffer, origin: Origin | undefined, over: () => void): Stanza {
    try {
      const stanza = stanzaFromNode(text);
      return origin === undefined ? stanza : stanza.withOrigin(origin);
    } catch (error) {
      over();
      throw error;
    }
  }

  #refuse(from: string, id: number, key: string): void {
    const now = performance.now();
    for (const [old, at] of this.#refused) {
      if (now - at < REFUSED_MS) break;
      this.#refused.delete(old);
    }
    this.#refused.delete(key); // to be the last
    this.#refused.set(key, now);
    this.answer(from, id, false);
  }

  #take(session: Session, stanza: Stanza): Awaitable<void> {
    // whether a client may be asked by a stranger is known only where it is
    if (stanza.kind === 'iq' && (stanza.type === 'get' || stanza.type === 'set') && stanza.to?.equals(session.jid)) {
      if (stanza.from !== undefined && !stanza.from.equals(session.account)) return this.#host.route(stanza);
    }
    return session.send(stanza);
  }

  /** Another node asks whether a session has acknowledged everything until then. */
  acknowledged(from: string, item: Buffer): void {
    const { id, sid, at } = decodeAcknowledged(item);
    this.answer(from, id, this.#host.own(sid)?.hasAcknowledged(at) === true);
  }

  /** Where the id is 0 nobody wants to know. */
  answer(to: string, id: number, done: boolean): void {
    if (id === 0) return;
    let answers = this.#answers.get(to);
    if (answers === undefined) {
      answers = [];
      this.#answers.set(to, answers);
      setImmediate(() => {
        this.#host.send(to, encodeAnswers(this.#answers.get(to) ?? []));
        this.#answers.delete(to);
      });
    }
    answers.push({ id, done });
  }
}
