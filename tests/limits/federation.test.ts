import { federationLimits } from './federation-limits.ts';
import { describeLimits } from './limit.ts';

describeLimits('what may wait for other servers', federationLimits);
