import { LIMITS } from '@parley/metrics/catalogue';
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
