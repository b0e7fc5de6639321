import { describeLimits } from './limit.ts';
import { trafficLimits } from './traffic-limits.ts';

describeLimits('rates, output and requests', trafficLimits);
