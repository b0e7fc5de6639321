import { type ClientSession, NEVER } from './client-session.ts';
import type { StanzaEntry } from './journal.ts';
import type { Downward, Message, Request, Stanza } from './stanza.ts';

/** What became of a stanza that must not get lost. */
interface Fate {
  readonly sentAt: number;
  readonly sender: ClientSession | undefined;
  acked: boolean;
  /** Answered with an error. */
  refused: boolean;
  /** The sessions that it was committed to, the first time. */
  holders: readonly string[] | undefined;
  /** How often it was carried out. */
  executions: number;
  received: boolean;
  /** Sent while its recipient had it that nothing of this sender arrives. */
  forbidden: boolean;
  /** Sent or under way while the recipient changed its mind: either outcome is right. */
  racing: boolean;
}

/** What an account thinks of another one. */
interface Opinion {
  blocked: boolean;
  /** A change that has not been answered. */
  changing: Request | undefined;
}

/** Watches what clients send and receive, and says what must not be. */
export class Ledger {
  readonly violations: string[] = [];
  readonly #now: () => number;
  /**
   * Whether failovers are part of the run. One may undo the end of a session, so that what its client had comes to
   * another one, and a change of the account, which is made again only by whoever is left to remember it.
   */
  readonly #lenient: boolean;
  readonly #fates = new Map<Message | Request, Fate>();
  readonly #opinions = new Map<string, Opinion>();
  readonly #sessions = new Map<string, ClientSession>();

  constructor(now: () => number, lenient: boolean) {
    this.#now = now;
    this.#lenient = lenient;
  }

  violation(text: string): void {
    this.violations.push(text);
  }

  bound(session: ClientSession): void {
    this.#sessions.set(session.sid, session);
  }

  /** How many messages were acknowledged. */
  get acknowledged(): number {
    let count = 0;
    for (const [stanza, { acked }] of this.#fates) if (acked && stanza.kind === 'message') count++;
    return count;
  }

  // What clients send

  opinion(account: string, whom: string): Opinion {
    const key = `${account} of ${whom}`;
    let opinion = this.#opinions.get(key);
    if (opinion === undefined) {
      opinion = { blocked: false, changing: undefined };
      this.#opinions.set(key, opinion);
    }
    return opinion;
  }

  sent(session: ClientSession, stanza: Stanza): void {
    if (stanza.kind === 'message') {
      const { blocked, changing } = this.opinion(stanza.to, stanza.from);
      this.#begin(stanza, session, blocked, changing !== undefined);
    } else if (stanza.kind === 'request') {
      this.#begin(stanza, session, false, false);
      const { change } = stanza;
      if (change.what === 'block' || change.what === 'unblock') {
        this.opinion(session.account, change.whom).changing = stanza;
        for (const [message, fate] of this.#fates) {
          const concerned =
            message.kind === 'message' && message.to === session.account && message.from === change.whom;
          if (concerned && !fate.acked) fate.racing = true;
        }
      }
    }
  }

  #begin(stanza: Message | Request, sender: ClientSession | undefined, forbidden: boolean, racing: boolean): void {
    this.#fates.set(stanza, {
      sentAt: this.#now(),
      sender,
      acked: false,
      refused: false,
      holders: undefined,
      executions: 0,
      received: false,
      forbidden,
      racing,
    });
  }

  acked(session: ClientSession, stanza: Stanza): void {
    if (stanza.kind === 'presence') session.availableSince = stanza.available ? this.#now() : NEVER;
    else if (stanza.kind !== 'counted') (this.#fates.get(stanza) as Fate).acked = true;
  }

  /** The server resumed a session, or refused to, and said how much it had handled. */
  resumed({ sid, h }: ClientSession, handled: number): void {
    if (handled < h) this.violation(`ACK-REGRESS ${sid} had been acknowledged ${h}, and now ${handled}`);
  }

  /** A node had something to say, and it was committed, or it was refused. */
  noticed(message: Message, outcome: 'committed' | 'refused'): void {
    const fate = this.#fates.get(message) as Fate;
    if (outcome === 'committed') fate.acked = true;
    else fate.refused = true;
  }

  noticing(message: Message): void {
    this.#begin(message, undefined, false, false);
  }

  // What the stores know

  concluded(sid: string): void {
    const session = this.#sessions.get(sid);
    if (session !== undefined) session.interrupted = true;
  }

  /** The answer that refuses a message was committed. */
  refused({ content }: StanzaEntry): void {
    if (content.kind === 'answer') (this.#fates.get(content.to) as Fate).refused = true;
  }

  /** A message was committed, for the first time or by a retry. */
  committed({ content }: StanzaEntry, holders: readonly string[]): void {
    if (content.kind === 'message') (this.#fates.get(content.message) as Fate).holders ??= holders;
  }

  carriedOut({ content }: StanzaEntry): void {
    if (content.kind !== 'answer') return;
    const fate = this.#fates.get(content.to) as Fate;
    fate.executions++;
    if (fate.executions > 1 && !this.#lenient) this.violation(`TWICE ${describe(content.to)} was carried out`);
  }

  // What clients receive

  received(session: ClientSession, down: Downward): void {
    if (down.kind === 'message') this.#receivedMessage(session, down.message, down);
    else if (down.kind === 'carbon') this.#once(session, session.carbons, down.message);
    else if (down.kind === 'push') this.#once(session, session.pushes, down.request);
    else if (down.kind === 'answer') {
      this.#once(session, session.answers, down.to);
      if (down.to.kind === 'request') this.#answered(session, down.to);
    }
  }

  #once<T extends Message | Request>(session: ClientSession, had: Set<T>, stanza: T): void {
    if (had.has(stanza)) this.violation(`DUP ${session.sid} got ${describe(stanza)} twice`);
    had.add(stanza);
  }

  #answered(session: ClientSession, request: Request): void {
    const { change } = request;
    if (change.what === 'carbons') session.carbonsSince = this.#now();
    else if (change.what !== 'roster') {
      const opinion = this.opinion(session.account, change.whom);
      opinion.blocked = change.what === 'block';
      opinion.changing = undefined;
    }
  }

  #receivedMessage(session: ClientSession, message: Message, how: { moved: boolean; displaced: boolean }): void {
    const fate = this.#fates.get(message) as Fate;
    const { sid } = session;
    this.#once(session, session.messages, message);
    fate.received = true;
    if (fate.forbidden && !fate.racing && !this.#lenient) this.violation(`BLOCKED ${sid} got ${describe(message)}`);
    if (!this.#lenient && !how.moved && !fate.holders?.includes(sid)) {
      this.violation(`AGAIN ${sid} got ${describe(message)}, which had been committed to ${fate.holders}`);
    }
    // What was for another resource, or for a session that has ended, comes late: no order was promised.
    if (how.displaced) return;
    const line = `${message.stream} to ${message.resource}`;
    const last = session.lastOf.get(line) ?? 0;
    if (message.k > last) session.lastOf.set(line, message.k);
    else if (!fate.racing) this.violation(`REORDER ${sid} got ${describe(message)} after ${last}`);
  }

  // The end

  /** What must have arrived by now. @param live sessions that their clients still have */
  audit(live: readonly ClientSession[]): void {
    for (const [stanza, fate] of this.#fates) {
      if (!fate.acked) continue;
      if (stanza.kind === 'message') this.#auditMessage(stanza, fate, live);
      else this.#auditRequest(stanza, fate, live);
    }
  }

  #auditMessage(message: Message, fate: Fate, live: readonly ClientSession[]): void {
    if (fate.refused && fate.received) this.violation(`REFUSED and delivered: ${describe(message)}`);
    if (!fate.refused && !fate.received) this.violation(`LOST ${describe(message)} was acknowledged and came nowhere`);
    if (fate.refused && fate.sender && live.includes(fate.sender) && !fate.sender.answers.has(message)) {
      this.violation(`LOST the error for ${describe(message)}`);
    }
    for (const session of live) {
      if (session.interrupted) continue;
      const mine = session.account === message.to;
      const addressed = message.resource === session.resource && session.since < fate.sentAt;
      const forAll = message.resource === undefined && session.availableSince < fate.sentAt;
      const copied = session.carbonsSince < fate.sentAt;
      if (mine && !fate.refused && (addressed || forAll) && !session.messages.has(message)) {
        this.violation(`LOST ${describe(message)} was acknowledged and did not come to ${session.sid}`);
      }
      const both = session.messages.has(message) || session.carbons.has(message);
      const overheard = copied && session.availableSince < fate.sentAt && session.sid !== message.stream;
      if (mine && !fate.refused && message.resource !== undefined && overheard && !both) {
        this.violation(`LOST the copy of ${describe(message)} for ${session.sid}`);
      }
      const sibling = session.account === message.from && !mine && session.sid !== message.stream;
      if (sibling && copied && !session.carbons.has(message)) {
        this.violation(`LOST the copy of ${describe(message)}, as sent, for ${session.sid}`);
      }
    }
  }

  #auditRequest(request: Request, { sender, sentAt }: Fate, live: readonly ClientSession[]): void {
    for (const session of live) {
      if (session === sender && !session.answers.has(request)) this.violation(`LOST answer to ${describe(request)}`);
      const told = session.account === sender?.account && session.since < sentAt && request.change.what !== 'carbons';
      if (told && !this.#lenient && !session.pushes.has(request))
        this.violation(`LOST push of ${describe(request)} to ${session.sid}`);
    }
  }
}

export function describe(stanza: Message | Request): string {
  if (stanza.kind === 'request') return `request ${stanza.k} (${stanza.change.what})`;
  return `${stanza.stream}#${stanza.k} to ${stanza.to}${stanza.resource === undefined ? '' : `/${stanza.resource}`}`;
}
