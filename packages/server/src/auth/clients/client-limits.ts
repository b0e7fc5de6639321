import type { Configuration } from '../../config/schema.ts';
import type { ClientLimits } from './client-store.ts';

/** How many clients of an account are remembered, and for how long: those with tokens as long as these are good. */
export function clientLimits({ authentication, modules }: Configuration): ClientLimits {
  const { most, keepSeconds } = authentication.clients;
  const tokenSeconds = Number(modules.fast?.tokenSeconds ?? 0);
  return { most, ttl: Math.max(keepSeconds, tokenSeconds) * 1000 };
}
