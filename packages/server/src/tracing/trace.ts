import { AsyncLocalStorage } from 'node:async_hooks';
import type { AttributeValue, SpanData, SpanKind, SpanSink } from '@parley/opentelemetry/span-data';
import type { Awaitable } from '../pipeline.ts';
import { Lingering } from './lingering.ts';
import { spanId, traceId } from './span-ids.ts';
import { type SpanName, traceparent } from './traceparent.ts';

/** Spans of one stanza on one node; what it brings about beyond them is only counted. */
const MOST_SPANS = 128;
const LONGEST_TEXT = 256;

const place = new AsyncLocalStorage<Trace>();
/** Traces that are not over, of all nodes in this process: while there is none, nobody is asked where he is. */
let open = 0;
/** Those that are done with, and not over. */
const lingering = new Lingering();

/** The trace that this is part of; undefined outside of what is traced, which costs one comparison while nothing is. */
export function currentTrace(): Trace | undefined {
  if (open === 0) return undefined;
  const trace = place.getStore();
  return trace === undefined || trace.over ? undefined : trace;
}

/** Begins a step of what is traced; undefined outside of that. */
export function startSpan(name: string, kind: SpanKind = 'internal'): Span | undefined {
  return open === 0 ? undefined : currentTrace()?.start(name, kind);
}

/** Has a function run as part of what this is part of, whoever calls it: for what works off what several have given it. */
export const fromHere = <Act extends () => unknown>(act: Act): Act => (open === 0 ? act : AsyncLocalStorage.bind(act));

/** Has a function run as part of nothing: for what goes on longer, and for others than whoever has begun it. */
export const untraced = <Result>(act: () => Result): Result => (open === 0 ? act() : place.exit(act));

/** A step of what becomes of a stanza. */
export class Span implements SpanData {
  readonly trace: Trace;
  readonly spanId = spanId();
  readonly parentId: string;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startedAt: number;
  endedAt = 0;
  readonly attributes: AttributeValue[] = [];
  failed = false;
  /** See `outlast`. */
  lasting = false;

  /** `at`: by `performance.now()`. */
  constructor(trace: Trace, parentId: string, name: string, kind: SpanKind, at: number) {
    this.trace = trace;
    this.parentId = parentId;
    this.name = name;
    this.kind = kind;
    this.startedAt = at + trace.clock;
  }

  get traceId(): string {
    return this.trace.traceId;
  }

  /** As another node is to be told it. */
  get traceparent(): string {
    return traceparent(this);
  }

  /** Nothing that says who somebody is, or what they have said. */
  set(name: string, value: AttributeValue): this {
    this.attributes.push(name, typeof value === 'string' ? value.slice(0, LONGEST_TEXT) : value);
    return this;
  }

  /** Ends it, with the name of what went wrong where something has. */
  end(error?: string): void {
    if (error !== undefined) this.fail(error);
    this.trace.end(this);
  }

  fail(error: string): void {
    this.failed = true;
    this.set('error.type', error);
  }

  /** It may take hours: what it is a step of is over without it, and it is told when it ends. */
  outlast(): void {
    this.trace.release(this);
  }

  /** Does something and ends when that is done. It hands on what that answers, or throws. */
  around<Result>(act: () => Awaitable<Result>): Awaitable<Result> {
    let answer: Awaitable<Result>;
    try {
      answer = act();
    } catch (error) {
      this.end();
      throw error;
    }
    if (!(answer instanceof Promise)) this.end();
    else {
      const end = () => this.end();
      answer.then(end, end);
    }
    return answer;
  }
}

/** What is recorded of one stanza on one node. It is over when it is done with, and all that it was to be written to has it. */
export class Trace {
  readonly traceId: string;
  /** All that this node does with the stanza: the other spans are its steps. */
  readonly root: Span;
  /**
   * What is to be added to `performance.now()` to have the milliseconds since 1970. One look at the clock of the machine for
   * all spans: with one for each, a step could begin before what it is a step of.
   */
  readonly clock = Date.now() - performance.now();
  /** See `Lingering`. */
  lingers = -1;
  readonly #sink: SpanSink;
  readonly #steps: Span[] = [];
  #unfinished = 0;
  #omitted = 0;
  #done = false;
  #over = false;

  /** `at`: when it began, by `performance.now()`; `parent`: what another node has told. */
  constructor(sink: SpanSink, name: string, kind: SpanKind, at: number, parent?: SpanName) {
    this.#sink = sink;
    this.traceId = parent?.traceId ?? traceId();
    this.root = new Span(this, parent?.spanId ?? '', name, kind, at);
  }

  get over(): boolean {
    return this.#over;
  }

  /** Begins a step; undefined where there are too many. `at`: where it began before now. */
  start(name: string, kind: SpanKind = 'internal', at = performance.now()): Span | undefined {
    if (this.#over) return undefined;
    if (this.#steps.length >= MOST_SPANS) {
      this.#omitted++;
      return undefined;
    }
    const span = new Span(this, this.root.spanId, name, kind, at);
    this.#steps.push(span);
    this.#unfinished++;
    return span;
  }

  /** A step is over. */
  end(span: Span): void {
    if (span.endedAt !== 0) return;
    span.endedAt = performance.now() + this.clock;
    this.#sink.add(span);
    if (span !== this.root && !span.lasting) this.#settled();
  }

  /** A step goes on by itself. */
  release(span: Span): void {
    if (span.endedAt !== 0 || span.lasting) return;
    span.lasting = true;
    this.#settled();
  }

  #settled(): void {
    this.#unfinished--;
    if (this.#done && this.#unfinished === 0) this.#end();
  }

  /** Does what becomes of the stanza. It hands on what that answers, or throws. */
  run<Result>(act: () => Awaitable<Result>): Awaitable<Result> {
    open++;
    let answer: Awaitable<Result>;
    try {
      answer = place.run(this, act);
    } catch (error) {
      this.#finish();
      throw error;
    }
    if (answer instanceof Promise) {
      const finish = () => this.#finish();
      answer.then(finish, finish);
    } else this.#finish();
    return answer;
  }

  #finish(): void {
    this.#done = true;
    if (this.#unfinished === 0) this.#end();
    else lingering.add(this);
  }

  /** It has waited too long for the last of its steps: those never were. */
  expire(): void {
    this.#end();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    open--;
    lingering.delete(this);
    for (const span of this.#steps.splice(0)) {
      if (span.endedAt === 0 && !span.lasting) span.set('parley.unfinished', true).end();
    }
    if (this.#omitted > 0) this.root.set('parley.spans.omitted', this.#omitted);
    this.root.end();
  }
}
