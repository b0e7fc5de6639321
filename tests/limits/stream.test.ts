import { describeLimits } from './limit.ts';
import { streamLimits } from './stream-limits.ts';

describeLimits('what a stream may send and how long it may take', streamLimits);
