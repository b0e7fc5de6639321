import { logEvents } from '@parley/server/log-events/catalogue';
import type { LogEvent } from '@parley/server/log-events/log-event';
import { expect } from 'vitest';

const declared: ReadonlyMap<string, LogEvent> = new Map(Object.entries(logEvents));

/** Fields that come together under a name of their own (`...about`) pass the types: a line is looked at, too. */
export function hasDeclaredFields({ level, time, event, omitted, ...fields }: Readonly<Record<string, unknown>>): void {
  const known: readonly string[] = declared.get(String(event))?.fields ?? [];
  const unknown = Object.keys(fields).filter((field) => !known.includes(field));
  expect(unknown, `fields of ${event} that docs/events.md does not have`).toEqual([]);
}
