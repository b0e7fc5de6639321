import { type Level, type Logger, pino, stdTimeFunctions } from 'pino';
import type { EventAt, EventName, FieldOf } from './log-events/catalogue.ts';
import type { FieldName } from './log-events/field-names.ts';
import { safeFields } from './log-fields.ts';
import { LogOutput } from './log-output.ts';
import { prettyLine } from './log-pretty.ts';
import { currentTrace } from './tracing/trace.ts';

export type FieldValue = string | number | bigint | boolean | null | undefined | Error | readonly string[] | object;

/** What an event says beside its name: the fields that it is declared with. */
export type Fields<Name extends EventName> = { readonly [Field in FieldOf<Name>]?: FieldValue };

/** What users say (`xml`, `body`) belongs to `trace` alone, whatever way it comes. */
type Unsaid = { readonly xml?: never; readonly body?: never };

export interface LogOptions {
  level?: Level | 'silent';
  /** Lines for eyes instead of JSON. */
  pretty?: boolean;
  /** Where the lines go; standard output when left out. */
  output?: Output;
  /** Is told of every event, whatever the level: the audit stream. */
  audit?: { record(event: EventName, fields: object): void } | undefined;
}

export interface Output {
  write(line: string): void;
  /** Writes at once what waits. */
  flush?(): void;
  /** Lines dropped because too much waited. */
  readonly dropped?: number;
}

/** How long one event that floods stays silent, in milliseconds. */
const FLOOD_SILENCE = 1000;

interface Flood {
  omitted: number;
  fields: object | undefined;
}

/** The log of one node: a stable event name first, then fields. */
export class Log {
  readonly #pino: Logger;
  readonly #output: Output;
  readonly #fields: Record<string, unknown> | undefined;
  readonly #floods: Map<EventName, Flood>;
  readonly #audit: LogOptions['audit'];

  private constructor(
    logger: Logger,
    output: Output,
    floods: Map<EventName, Flood>,
    audit: LogOptions['audit'],
    fields?: Record<string, unknown>,
  ) {
    this.#pino = logger;
    this.#output = output;
    this.#fields = fields;
    this.#floods = floods;
    this.#audit = audit;
  }

  static create({ level = 'info', pretty = false, output = new LogOutput(), audit }: LogOptions = {}): Log {
    const stream = pretty ? { write: (line: string) => output.write(prettyLine(line)) } : output;
    const logger = pino(
      {
        level,
        base: null,
        timestamp: stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      stream,
    );
    return new Log(logger, output, new Map(), audit);
  }

  /** For what users say: the only level at which `xml` and `body` are written. */
  trace<Name extends EventAt<'trace'>>(event: Name, fields?: Fields<Name>): void {
    this.#tell('trace', event, fields);
  }

  debug<Name extends EventAt<'debug'>>(event: Name, fields?: Fields<Name> & Unsaid): void {
    this.#tell('debug', event, fields);
  }

  info<Name extends EventAt<'info'>>(event: Name, fields?: Fields<Name> & Unsaid): void {
    this.#tell('info', event, fields);
  }

  warn<Name extends EventAt<'warn'>>(event: Name, fields?: Fields<Name> & Unsaid): void {
    this.#tell('warn', event, fields);
  }

  error<Name extends EventAt<'error'>>(event: Name, fields?: Fields<Name> & Unsaid): void {
    this.#tell('error', event, fields);
  }

  fatal<Name extends EventAt<'fatal'>>(event: Name, fields?: Fields<Name> & Unsaid): void {
    this.#tell('fatal', event, fields);
  }

  /**
   * A warning that somebody outside can cause at any rate: written once a second for each event. What was left out
   * is counted, in `omitted`, in one line more at the end of that second.
   */
  flood<Name extends EventAt<'flood'>>(event: Name, fields?: Fields<Name> & Unsaid): void {
    this.#audit?.record(event, { ...this.#fields, ...fields });
    const running = this.#floods.get(event);
    if (running !== undefined) {
      running.omitted++;
      running.fields = fields;
      return;
    }
    this.#write('warn', event, fields);
    this.#silence(event);
  }

  /** A log that adds these fields to every line. */
  with(fields: { readonly [Field in FieldName]?: FieldValue }): Log {
    return new Log(this.#pino, this.#output, this.#floods, this.#audit, {
      ...this.#fields,
      ...safeFields(fields, false),
    });
  }

  /** Whether lines of this level are written: ask before making expensive fields. */
  writes(level: Level): boolean {
    return levels.indexOf(level) >= levels.indexOf(this.#pino.level as Level);
  }

  /** Whether what users say is written: asked for every stanza, so it costs next to nothing. */
  get traces(): boolean {
    return this.#pino.levelVal <= TRACE;
  }

  /** Changes the level of this log and all that came from it. */
  setLevel(level: Level | 'silent'): void {
    this.#pino.level = level;
  }

  /** Lines that were dropped because nobody took them in time. */
  get dropped(): number {
    return this.#output.dropped ?? 0;
  }

  /** Writes out what waits, before the process ends. */
  flush(): void {
    this.#output.flush?.();
  }

  #silence(event: EventName): void {
    this.#floods.set(event, { omitted: 0, fields: undefined });
    const timer = setTimeout(() => {
      const { omitted = 0, fields } = this.#floods.get(event) ?? {};
      this.#floods.delete(event);
      if (omitted === 0) return;
      this.#write('warn', event, { ...fields, omitted });
      this.#floods.set(event, { omitted: 0, fields: undefined });
      timer.refresh();
    }, FLOOD_SILENCE).unref();
  }

  #tell(level: Level, event: EventName, fields: object | undefined): void {
    this.#audit?.record(event, { ...this.#fields, ...fields });
    this.#write(level, event, fields);
  }

  #write(level: Level, event: EventName, fields: object | undefined): void {
    if (!this.writes(level)) return;
    const about = fields && safeFields(fields, level === 'trace');
    this.#pino[level]({ event, ...this.#fields, ...about, ...traceFields() });
  }
}

/** The names that OpenTelemetry has for them in logs that are not its own. */
function traceFields(): { trace_id: string; span_id: string } | undefined {
  const root = currentTrace()?.root;
  return root && { trace_id: root.traceId, span_id: root.spanId };
}

/** pino's number for the level "trace". */
const TRACE = 10;

const levels: readonly (Level | 'silent')[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
