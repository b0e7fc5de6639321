import { describeLimits } from './limit.ts';
import { resumptionLimits } from './resumption-limits.ts';

describeLimits('sessions that wait for their clients', resumptionLimits);
