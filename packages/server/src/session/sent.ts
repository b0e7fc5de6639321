import type { Origin } from '@parley/xmpp/stanza';
import type { Written } from '../net/written.ts';
import type { Span } from '../tracing/trace.ts';

interface SentAs extends Pick<Sent, 'text' | 'origin' | 'journaled' | 'later' | 'at' | 'out' | 'ready'> {
  readonly span?: Span | undefined;
}

/** A stanza for somebody who acknowledges it, and has not yet. */
export class Sent {
  readonly origin: Origin | undefined;
  /** Stands in the journal, or will: it outlives this process. */
  journaled: boolean;
  /** It is to get there where it is not acknowledged on the stream that it was taken for. */
  later: boolean;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The number that it has for the client; undefined where nobody knows how far a predecessor of this process came. */
  out: number | undefined;
  /** It may be written: what it needs is committed. */
  ready: boolean;
  /** Where it is traced, and who writes it says when that is done. */
  readonly span: Span | undefined;
  /** Characters of the text. */
  readonly length: number;
  #text: string | Written;
  /** Where it begins in what it was written with. */
  #begin = 0;

  constructor({ text, origin, journaled, later, at, out, ready, span }: SentAs) {
    this.origin = origin;
    this.journaled = journaled;
    this.later = later;
    this.at = at;
    this.out = out;
    this.ready = ready;
    this.span = span;
    this.length = text.length;
    this.#text = text;
  }

  /** Its own, unless it is soon gone: what it was cut out of may be large. */
  get text(): string {
    const text = this.#text;
    return typeof text === 'string' ? text : text.text.slice(this.#begin, this.#begin + this.length);
  }

  /** It is the last of what goes out in one write, whose text does for all of them: thousands wait for busy servers. */
  standsIn(written: Written): void {
    this.#begin = written.length - this.length;
    this.#text = written;
  }

  /** It may stay longer than what it was cut out of. */
  keep(): void {
    this.#text = ownText(this.text);
    this.journaled = true;
    this.later = false;
  }
}

/** Free of the larger text that it was cut out of, which would stay in memory for as long. */
export const ownText = (text: string): string => Buffer.from(text).toString();
