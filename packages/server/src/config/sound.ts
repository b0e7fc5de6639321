import type * as z from 'zod';

/** What is not of its type; what is only too large, or no word of a list, still is. */
const WRONG = new Set(['invalid_type', 'invalid_union']);

/** A copy of what was read, without what is not of its type, so that it can be looked at as a whole all the same. */
export function sound(value: unknown, issues: readonly Pick<z.core.$ZodRawIssue, 'code' | 'path'>[]): unknown {
  return issues.filter(({ code }) => WRONG.has(code)).reduce((rest, { path = [] }) => without(rest, path), value);
}

/** In a list an empty group stays in the place: others keep their numbers. */
function without(value: unknown, [key, ...rest]: readonly PropertyKey[]): unknown {
  if (key === undefined || typeof value !== 'object' || value === null) return undefined;
  const inside = without((value as Record<PropertyKey, unknown>)[key], rest);
  if (Array.isArray(value)) return value.with(Number(key), inside ?? {});
  return { ...value, [key]: inside };
}
