import { connectionLimits } from './connection-limits.ts';
import { describeLimits } from './limit.ts';

describeLimits('connections', connectionLimits);
