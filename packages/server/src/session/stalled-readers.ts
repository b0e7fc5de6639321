import type { LimitName } from '@parley/metrics/catalogue';
import type { Transport } from '../net/transport.ts';

/** Whoever is written to: a session, or another peer. */
export interface Reader {
  readonly ended: boolean;
  /** It has no connection. */
  readonly detached: boolean;
  readonly stream: { readonly transport: Pick<Transport, 'blocked' | 'buffered' | 'sent'> };
  tooSlow(limit: LimitName): void;
}

interface Seen {
  sent: number;
  since: number;
}

export interface ReaderLimits {
  /** Milliseconds in which a client to which something waits to be written has to read something. */
  readonly stalledMs: number;
  /** Bytes that may wait to be written to a client. */
  readonly maxBytes: number;
}

/**
 * Finds clients that read too slowly, by looking at all of them every now and then. Stanzas are looked at when they are
 * written; this finds what else fills a connection's memory, answers to what is no stanza for one.
 */
export class StalledReaders {
  readonly #seen = new Map<Reader, Seen>();
  readonly #sessions: Iterable<Reader>;

  constructor(sessions: Iterable<Reader>) {
    this.#sessions = sessions;
  }

  /** Looks at all sessions; `now` in milliseconds of a clock that never goes back. */
  check(now: number, { stalledMs, maxBytes }: ReaderLimits): void {
    for (const session of this.#seen.keys()) if (!isWaiting(session)) this.#seen.delete(session);
    for (const session of this.#sessions) {
      if (!isWaiting(session)) continue;
      const { sent, buffered } = session.stream.transport;
      const seen = this.#seen.get(session);
      if (buffered > maxBytes) session.tooSlow('output-bytes');
      else if (seen === undefined || seen.sent !== sent) this.#seen.set(session, { sent, since: now });
      else if (now - seen.since >= stalledMs) session.tooSlow('output-stalled');
    }
  }
}

const isWaiting = (session: Reader): boolean => !session.ended && !session.detached && session.stream.transport.blocked;
