/** The same as a part of an environment, where a program writes the configuration itself. */
export const UNHURRIED = { PARLEY_LIMITS__PROCESS__EVENT_LOOP_DELAY_MILLISECONDS: '60000' };

/** What of a configuration says when a node is overloaded. */
interface Overloadable {
  readonly limits?: { readonly process?: object };
}

/**
 * The same configuration for a node that takes people in however late it is, unless that is what a test is about: the machine
 * may have much else to do.
 */
export function unhurried<T extends object>(config: T): T {
  const { limits } = config as Overloadable;
  const process = { eventLoopDelayMilliseconds: 60_000, ...limits?.process };
  return { ...config, limits: { ...limits, process } };
}
