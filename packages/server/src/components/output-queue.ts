import type { Stanza } from '@parley/xmpp/stanza';
import type { Transport } from '../net/transport.ts';
import type { Awaitable } from '../pipeline.ts';
import { type Span, startSpan } from '../tracing/trace.ts';

export interface QueueLimits {
  readonly maxStanzas: number;
  readonly maxBytes: number;
}

export interface OutputQueueHost {
  readonly transport: Transport;
  limits(): QueueLimits;
  /** Has the text written. */
  write(text: string, stanza: Stanza): void;
}

interface Entry {
  readonly stanza: Stanza;
  readonly text: string;
  readonly bytes: number;
  /** Where it is traced: until the operating system has it. */
  readonly span: Span | undefined;
  /** Who sent it goes on. */
  release: (() => void) | undefined;
}

/** Bytes that the connection holds before stanzas wait here, where they can still go elsewhere. */
const MOST_WRITTEN = 131_072;

/** From this share of the queue on, whoever sends waits, too. */
const CROWDED = 0.25;

/** How long somebody is held up by others' stanzas at most. */
const HELD_MS = 1000;

/** What waits for one peer that many write to, who reads more slowly than they do. */
export class OutputQueue {
  readonly #host: OutputQueueHost;
  #waiting: Entry[] = [];
  #bytes = 0;
  /** Traced writes that the connection has been given, and the operating system has not taken yet. */
  readonly #unsent = new Set<Span>();
  #pumping = false;
  #closed = false;

  constructor(host: OutputQueueHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** Which of the limits one stanza more would exceed. */
  exceeded(bytes: number): 'queue-stanzas' | 'queue-bytes' | undefined {
    const { maxStanzas, maxBytes } = this.#host.limits();
    if (this.#waiting.length >= maxStanzas) return 'queue-stanzas';
    return this.#waiting.length > 0 && this.#bytes + bytes > maxBytes ? 'queue-bytes' : undefined;
  }

  /** Writes it, or keeps it until it can be written. The promise resolves when its sender may go on. */
  push(stanza: Stanza, text: string, bytes: number): Awaitable<void> {
    const span = startSpan('xmpp.write')?.set('xmpp.connection.type', 'component');
    if (this.#waiting.length === 0 && !this.#full) {
      this.#write(stanza, text, span);
      return;
    }
    span?.outlast();
    const entry: Entry = { stanza, text, bytes, span, release: undefined };
    this.#waiting.push(entry);
    this.#bytes += bytes;
    this.#pump();
    const { maxStanzas, maxBytes } = this.#host.limits();
    if (this.#waiting.length < maxStanzas * CROWDED && this.#bytes < maxBytes * CROWDED) return;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, HELD_MS);
      entry.release = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #write(stanza: Stanza, text: string, span: Span | undefined): void {
    this.#host.write(text, stanza);
    if (span === undefined) return;
    this.#unsent.add(span);
    this.#host.transport.whenSent(() => {
      this.#unsent.delete(span);
      span.end();
    });
  }

  get #full(): boolean {
    const { transport } = this.#host;
    return transport.blocked || transport.buffered > MOST_WRITTEN;
  }

  #pump(): void {
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    this.#host.transport.whenSent(() => {
      this.#pumping = false;
      if (this.#closed) return;
      let count = 0;
      for (const entry of this.#waiting) {
        if (this.#full) break;
        count++;
        this.#bytes -= entry.bytes;
        this.#write(entry.stanza, entry.text, entry.span);
        entry.release?.();
      }
      this.#waiting = this.#waiting.slice(count);
      if (this.#waiting.length > 0) this.#pump();
    });
  }

  /** The connection is over: what has not been written, in its order. */
  close(): Stanza[] {
    this.#closed = true;
    const rest = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    for (const span of this.#unsent) span.end('disconnected'); // nobody will say any more that its bytes have left
    this.#unsent.clear();
    for (const { span, release } of rest) {
      span?.end('disconnected'); // it goes to another instance, or back
      release?.();
    }
    return rest.map(({ stanza }) => stanza);
  }
}
