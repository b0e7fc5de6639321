import { AsyncLocalStorage } from 'node:async_hooks';
import type { Awaitable } from '../pipeline.ts';
import type { AttributeValue, SpanId, SpanKind, SpanRecord, SpanSource } from './span-source.ts';
import { traceparent } from './traceparent.ts';

/** Spans of one stanza on one node; what it brings about beyond them is only counted. */
const MOST_SPANS = 128;
/** A client that does not read keeps its span open: what is not over by then never was. */
const LONGEST_MS = 10_000;

const place = new AsyncLocalStorage<Span>();
/** Traces that are not over, of all nodes in this process: while there is none, nobody is asked where he is. */
let open = 0;

/** The span within which this runs; undefined outside of what is traced, which costs one comparison while nothing is. */
export function currentSpan(): Span | undefined {
  if (open === 0) return undefined;
  const span = place.getStore();
  return span === undefined || span.trace.over ? undefined : span;
}

/** Begins a span within the present one; undefined outside of what is traced. */
export function startSpan(name: string, kind?: SpanKind): Span | undefined {
  return open === 0 ? undefined : currentSpan()?.child(name, kind);
}

/** Has a function run within what this is within, whoever calls it: for what works off what several have given it. */
export const fromHere = <Act extends () => unknown>(act: Act): Act => (open === 0 ? act : AsyncLocalStorage.bind(act));

/** A step of what becomes of a stanza. */
export class Span {
  readonly trace: Trace;
  readonly #record: SpanRecord;

  constructor(trace: Trace, record: SpanRecord) {
    this.trace = trace;
    this.#record = record;
  }

  get id(): SpanId {
    return this.#record;
  }

  /** As another node is to be told it. */
  get traceparent(): string {
    return traceparent(this.#record);
  }

  /** Nothing that says who somebody is, or what they have said. */
  set(name: string, value: AttributeValue): this {
    this.#record.set(name, value);
    return this;
  }

  /** A step of this one; undefined where there are too many. `at`: where it began before now. */
  child(name: string, kind: SpanKind = 'internal', at = performance.now()): Span | undefined {
    return this.trace.start(name, kind, at, this.#record);
  }

  /** Runs something within this span, up to the last of what it waits for. */
  within<Result>(act: () => Result): Result {
    return place.run(this, act);
  }

  /** Ends it, with the name of what went wrong where something has. */
  end(error?: string): void {
    if (error !== undefined) this.failed(error);
    if (this.trace.closes(this)) this.#record.end(performance.now());
  }

  failed(error: string): void {
    this.#record.set('error.type', error);
    this.#record.fail();
  }
}

/** What is recorded of one stanza on one node. It is over when it is done with, and all that it was to be written to has it. */
export class Trace {
  readonly root: Span;
  readonly #source: SpanSource;
  readonly #unfinished = new Set<Span>();
  #spans = 1;
  #done = false;
  #over = false;
  #timer: NodeJS.Timeout | undefined;

  /** `at`: when it began; `parent`: what another node has told. */
  constructor(source: SpanSource, name: string, kind: SpanKind, at: number, parent?: SpanId) {
    this.#source = source;
    this.root = new Span(this, source.start(name, kind, at, parent));
    this.#unfinished.add(this.root);
  }

  get over(): boolean {
    return this.#over;
  }

  start(name: string, kind: SpanKind, at: number, parent: SpanRecord): Span | undefined {
    if (this.#over || this.#spans++ >= MOST_SPANS) return undefined;
    const span = new Span(this, this.#source.start(name, kind, at, parent));
    this.#unfinished.add(span);
    return span;
  }

  /** False where the span has ended before. */
  closes(span: Span): boolean {
    const first = this.#unfinished.delete(span);
    // all that is left is the stanza itself
    if (first && this.#done && this.#unfinished.size === 1) this.#end();
    return first;
  }

  /** Runs what becomes of the stanza. It hands on what that answers, or throws. */
  run<Result>(act: () => Awaitable<Result>): Awaitable<Result> {
    open++;
    let answer: Awaitable<Result>;
    try {
      answer = this.root.within(act);
    } catch (error) {
      this.#finish();
      throw error;
    }
    if (!(answer instanceof Promise)) this.#finish();
    else answer.then(this.#finish, this.#finish);
    return answer;
  }

  readonly #finish = (): void => {
    this.#done = true;
    if (this.#unfinished.size === 1) this.#end();
    else this.#timer = setTimeout(() => this.#end(), LONGEST_MS).unref();
  };

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    open--;
    clearTimeout(this.#timer);
    if (this.#spans > MOST_SPANS) this.root.set('parley.spans.omitted', this.#spans - MOST_SPANS);
    for (const span of [...this.#unfinished].reverse()) {
      if (span !== this.root) span.set('parley.unfinished', true);
      span.end();
    }
  }
}
