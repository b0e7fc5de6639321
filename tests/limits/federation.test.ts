import { federationLimits } from './federation-limits.ts';
import { describeLimits } from './limit.ts';

describeLimits('what other servers and what is for them may take', federationLimits);
