import { describeLimits } from './limit.ts';
import { loginLimits } from './login-limits.ts';

describeLimits('logins, registrations and sessions', loginLimits);
