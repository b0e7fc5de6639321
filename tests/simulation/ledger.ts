/** One session of a client, from `<enabled/>` to its end. */
export interface SessionEntry {
  /** Device and number: `romeo@localhost/a#2`. */
  readonly name: string;
  readonly account: string;
  /** Messages that came, by id, and how: `direct`, `sent` or `received` (XEP-0280). */
  readonly received: Map<string, number>;
  /** The last message of each sender's session to each address, by its number. */
  readonly last: Map<string, MessageEntry>;
}

export interface MessageEntry {
  readonly id: string;
  readonly from: SessionEntry;
  /** Counts the messages of the sender's session. */
  readonly number: number;
  readonly to: string;
  /** When it was sent, in events. */
  readonly at: number;
  /** When its sender knew that it was taken; undefined until then. */
  acknowledged: number | undefined;
  refused: boolean;
  /** How many sessions of its recipient got it. */
  received: number;
  /** It was written to a connection of its recipient that was lost, and whose session was not one to be resumed yet. */
  handedOver: boolean;
}

/** When something was so, by name. Several may say so of one name at a time. */
class Spans {
  readonly #spans = new Map<string, { readonly by: string; readonly from: number; to: number }[]>();

  begin(name: string, by: string, now: number): void {
    const spans = this.#spans.get(name) ?? [];
    this.#spans.set(name, spans);
    if (!spans.some((span) => span.by === by && span.to === Number.POSITIVE_INFINITY)) {
      spans.push({ by, from: now, to: Number.POSITIVE_INFINITY });
    }
  }

  end(name: string, by: string, now: number): void {
    for (const span of this.#spans.get(name) ?? []) if (span.by === by) span.to = Math.min(span.to, now);
  }

  meets(name: string, from: number, to: number): boolean {
    return (this.#spans.get(name) ?? []).some((span) => span.from <= to && span.to >= from);
  }
}

const bareOf = (jid: string): string => jid.split('/')[0] as string;

/** What was said, acknowledged and heard, and what of it must not be. */
export class Ledger {
  readonly violations: string[] = [];
  /** No session may get what another one has got. */
  readonly once: boolean;
  /** The time, in events. */
  now = 0;
  /** When the store lost its newest writes last, in events. */
  failover = Number.NEGATIVE_INFINITY;
  readonly #messages = new Map<string, MessageEntry>();
  /** Accounts of which a session is ending, or may be: whatever it had goes to other sessions. */
  readonly ending = new Spans();

  constructor(once = false) {
    this.once = once;
  }

  get acknowledged(): number {
    return [...this.#messages.values()].filter(({ acknowledged }) => acknowledged !== undefined).length;
  }

  violate(what: string): void {
    this.violations.push(what);
  }

  said(from: SessionEntry, number: number, to: string): string {
    const id = `${from.name}:${number}`;
    const rest = { acknowledged: undefined, refused: false, received: 0, handedOver: false };
    this.#messages.set(id, { id, from, number, to, at: this.now, ...rest });
    return id;
  }

  acknowledge(id: string): void {
    const message = this.#messages.get(id);
    if (message !== undefined) message.acknowledged ??= this.now;
  }

  refused(by: SessionEntry, id: string): void {
    const message = this.#messages.get(id);
    if (message?.from.account !== by.account) this.violate(`STRAY ${by.name} was told that ${id} was refused`);
    else message.refused = true;
  }

  /** It is not to be missed: nobody promised that it arrives. */
  handedOver(id: string): void {
    const message = this.#messages.get(id);
    if (message !== undefined) message.handedOver = true;
  }

  /** `stored`: it comes out of the offline storage. */
  received(by: SessionEntry, id: string, how: 'direct' | 'sent' | 'received', stored = false): void {
    const message = this.#messages.get(id);
    if (message === undefined) {
      this.violate(`STRAY ${by.name} got ${id}, which nobody said`);
      return;
    }
    const key = `${how} ${id}`;
    const before = by.received.get(key) ?? 0;
    by.received.set(key, before + 1);
    // What a session that ended has not acknowledged goes to the others, which may have it by then. Nor does the storage
    // know that its sender sends again, to its full JID, what is stored and not handed over yet.
    const excused = this.#wentOn(message) || (stored && message.to !== by.account);
    if (before > 0 && !excused) this.violate(`TWICE ${by.name} got ${id} (${how})`);
    if (how === 'received') message.received++; // whoever has a copy needs no other
    if (how !== 'direct') return;
    if (this.once && message.received > 0) this.violate(`AGAIN ${by.name} got ${id}, which somebody had`);
    message.received++;
    if (bareOf(message.to) !== by.account) this.violate(`ASTRAY ${by.name} got ${id}, which is for ${message.to}`);
    const lane = `${message.from.name} ${message.to}`;
    const last = by.last.get(lane);
    if (last === undefined || last.number < message.number) by.last.set(lane, message);
    // What was sent to its full JID while it was not there comes with its presence, later than what comes directly; and
    // each node puts back what it had stored and a failover has taken.
    else if (before === 0 && !excused && !(stored && message.at < this.failover))
      this.violate(`ORDER ${by.name} got ${id} after ${last.id}`);
  }

  /** A session of the message's recipient ended since it was sent, so that it may have come another way. */
  #wentOn({ to, at }: MessageEntry): boolean {
    return this.ending.meets(bareOf(to), at, this.now);
  }

  /** Messages that their senders know to be taken and nobody has got. */
  get missing(): MessageEntry[] {
    return [...this.#messages.values()].filter(
      (message) =>
        message.acknowledged !== undefined && message.received === 0 && !message.refused && !message.handedOver,
    );
  }

  /** Everything has come to rest. */
  audit(): void {
    for (const { id, to } of this.missing) this.violate(`LOST ${id}, for ${to}`);
  }
}
