import { LIMITS } from '@parley/metrics/catalogue';
import { actOf } from '@parley/server/audit/audit-entry';
import { HARMLESS_LIMITS } from '@parley/server/log-events/limit-refusals';
import { expect, it } from 'vitest';
import { accountLimits } from './account-limits.ts';
import { componentLimits } from './component-limits.ts';
import { connectionLimits } from './connection-limits.ts';
import { federationLimits } from './federation-limits.ts';
import { loginLimits } from './login-limits.ts';
import { processLimits } from './process-limits.ts';
import { resumptionLimits } from './resumption-limits.ts';
import { streamLimits } from './stream-limits.ts';
import { trafficLimits } from './traffic-limits.ts';

it('exceeds every limit that there is, once', () => {
  const tables = [
    streamLimits,
    connectionLimits,
    loginLimits,
    trafficLimits,
    accountLimits,
    processLimits,
    resumptionLimits,
    componentLimits,
    federationLimits,
  ];
  expect(tables.flatMap((table) => Object.keys(table)).sort()).toEqual([...LIMITS].sort());
});

it('has an entry of the audit stream for each, but those that refuse nobody anything', () => {
  expect([...HARMLESS_LIMITS].filter((limit) => !LIMITS.includes(limit))).toEqual([]);
  const untold = LIMITS.filter((limit) => actOf('limit.exceeded', { limit, account: 'a@b' }) === undefined);
  expect(untold.sort()).toEqual([...HARMLESS_LIMITS].sort());
});
