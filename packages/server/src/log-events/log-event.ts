import type { FieldName } from './field-names.ts';

/** `flood` is a warning that somebody outside can cause at any rate, and of which few are written (`Log.flood`). */
export type EventLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'flood';

/** All there is to know about one event of the log. */
export interface LogEvent<L extends EventLevel = EventLevel, F extends FieldName = FieldName> {
  /** More than one where it depends on the circumstances. */
  readonly levels: readonly L[];
  readonly fields: readonly F[];
  /** What it means. */
  readonly means: string;
  /** What to do about it; '' for nothing. */
  readonly todo: string;
  /** What the audit stream makes of it; undefined where it is none of its business. */
  readonly audited?: Audited<F> | undefined;
}

/** Which of the fields are what in the audit stream; `address` is the address. */
export interface Audited<F extends FieldName = FieldName> {
  readonly outcome: 'success' | 'failure';
  /** Who did it, or claimed to be somebody; of several the first that is known. */
  readonly actor?: F | readonly F[];
  /** What it was done to. */
  readonly subject?: F;
  /** Why, or on what ground. */
  readonly reason?: F;
  /** Anybody outside can cause it at any rate, as everything at the level `flood`. */
  readonly byOthers?: boolean;
  /** Only where a field has one of these values; whatever it has, where this is left out. */
  readonly when?: { readonly field: F; readonly is: readonly string[] };
  /** A field of few values: entries are counted for each by itself, so that many of one kind hide none of another. */
  readonly kinds?: F;
}

// What users say is never read at a level other than `trace`.
type FieldAt<L extends EventLevel> = L extends 'trace' ? FieldName : Exclude<FieldName, 'xml'>;

/** Declares an event: its level, its fields, what it means and what to do. */
export const event = <const L extends EventLevel, const F extends FieldAt<L>>(
  level: L | readonly L[],
  fields: readonly F[],
  means: string,
  todo = '',
  audited?: Audited<NoInfer<F>>,
): LogEvent<L, F> => ({ levels: typeof level === 'string' ? [level] : level, fields, means, todo, audited });
