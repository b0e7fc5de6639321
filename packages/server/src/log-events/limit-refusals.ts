import { LIMITS, type LimitName } from '@parley/metrics/limits';

/** Limits that refuse nobody anything: they slow somebody down, shorten an answer, or end what was over anyway. */
export const HARMLESS_LIMITS: ReadonlySet<LimitName> = new Set<LimitName>([
  'bytes-rate',
  'stanzas-rate',
  'component-rate',
  'roster-shared-items',
  'pending-iq', // a request of the server itself
  'iq-time',
  'close-time',
]);

/** Limits by which somebody is refused something, or cut off: refusals by policy, which the audit stream tells. */
export const REFUSING_LIMITS: readonly LimitName[] = LIMITS.filter((limit) => !HARMLESS_LIMITS.has(limit));
