import type { Stanza } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import type { Awaitable } from '../pipeline.ts';
import type { Session } from '../session/session.ts';
import { type AnswerItem, decodeDeliver, encodeAnswers } from './items.ts';

export interface InboundDeliveriesHost {
  own(sid: string): Session | undefined;
  send(to: string, item: Buffer): void;
  /** Hands a stanza on as if it had just come. */
  route(stanza: Stanza): Awaitable<void>;
  /** A stanza for a session that is not here, and whose sender does not wait to hear of it. */
  onLate(stanza: Stanza): Awaitable<void>;
}

/** Stanzas that other nodes have for the sessions of this one. */
export class InboundDeliveries {
  readonly #host: InboundDeliveriesHost;
  /** Answers that go out at the end of the turn. */
  readonly #answers = new Map<string, AnswerItem[]>();

  constructor(host: InboundDeliveriesHost) {
    this.#host = host;
  }

  /** Throws where the item cannot be read. */
  receive(from: string, item: Buffer): void {
    const { id, sid, origin, text } = decodeDeliver(item);
    const stanza = stanzaFromText(text).withOrigin(origin);
    const session = this.#host.own(sid);
    if (session === undefined) {
      if (id === 0) void this.#host.onLate(stanza);
      else this.answer(from, id, false);
      return;
    }
    const taken = this.#take(session, stanza);
    if (id === 0) return;
    if (taken instanceof Promise) void taken.then(() => this.answer(from, id, !session.movedAway));
    else this.answer(from, id, true);
  }

  #take(session: Session, stanza: Stanza): Awaitable<void> {
    // whether a client may be asked by a stranger is known only where it is
    if (stanza.kind === 'iq' && (stanza.type === 'get' || stanza.type === 'set') && stanza.to?.equals(session.jid)) {
      if (stanza.from !== undefined && !stanza.from.equals(session.account)) return this.#host.route(stanza);
    }
    return session.send(stanza);
  }

  answer(to: string, id: number, done: boolean): void {
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
