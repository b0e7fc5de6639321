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
}

// What users say is never read at a level other than `trace`.
type FieldAt<L extends EventLevel> = L extends 'trace' ? FieldName : Exclude<FieldName, 'xml'>;

/** Declares an event: its level, its fields, what it means and what to do. */
export const event = <const L extends EventLevel, const F extends FieldAt<L>>(
  level: L | readonly L[],
  fields: readonly F[],
  means: string,
  todo = '',
): LogEvent<L, F> => ({ levels: typeof level === 'string' ? [level] : level, fields, means, todo });
