import { componentLimits } from './component-limits.ts';
import { describeLimits } from './limit.ts';

describeLimits('what components may use', componentLimits);
