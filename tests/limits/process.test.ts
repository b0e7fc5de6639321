import { describeLimits } from './limit.ts';
import { processLimits } from './process-limits.ts';

describeLimits('process', processLimits);
