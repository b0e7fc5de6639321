import { accountLimits } from './account-limits.ts';
import { describeLimits } from './limit.ts';

describeLimits('what the server keeps for accounts', accountLimits);
