import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import perfHooks from 'node:perf_hooks';
import timersPromises from 'node:timers/promises';
import { type SimulatedClock, Timer } from './clock.ts';
import type { Random } from './random.ts';

type Patch = () => void;

/** Puts another value in the place of a property. The returned function puts back what was there. */
function patch(target: object, name: string, value: unknown): Patch {
  const before = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: before?.enumerable });
  return () => {
    if (before === undefined) Reflect.deleteProperty(target, name);
    else Object.defineProperty(target, name, before);
  };
}

/** No garbage collection and no delay of the real event loop may change what happens. */
class NoObserver {
  observe(): void {}
  disconnect(): void {}
}
const noDelay = () => ({ enable() {}, disable() {}, reset() {}, percentile: () => 0 });

/**
 * Has everything that the server takes from its surroundings come from the simulation: the time, the timers, and random
 * bytes. What belongs to no process of the simulation keeps its real timers. The returned function puts all back.
 */
export function simulateEnvironment(clock: SimulatedClock, random: Random): () => void {
  const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate } = globalThis;
  const real = { setTimeout, setInterval, setImmediate } as unknown as Record<string, (...args: unknown[]) => unknown>;
  const timing =
    (name: 'setTimeout' | 'setInterval') =>
    (callback: () => void, milliseconds?: number, ...args: unknown[]) => {
      const owner = clock.current;
      if (owner === undefined) return real[name]?.(callback, milliseconds, ...args);
      return clock.setTimeout(owner, callback, milliseconds, args, name === 'setInterval');
    };
  const immediate = (callback: () => void, ...args: unknown[]) => {
    const owner = clock.current;
    return owner === undefined ? real.setImmediate?.(callback, ...args) : clock.setImmediate(owner, callback, args);
  };
  const clearing = (clear: (timer: never) => void) => (timer: unknown) => {
    if (timer instanceof Timer) clock.clear(timer);
    else clear(timer as never);
  };
  const RealDate = globalThis.Date;
  class SimulatedDate extends RealDate {
    constructor(...args: unknown[]) {
      super(...((args.length === 0 ? [clock.date] : args) as [number]));
    }
    static override now = () => clock.date;
  }
  const pause = (milliseconds?: number, value?: unknown, options?: { signal?: AbortSignal }) =>
    new Promise((resolve, reject) => {
      const timer = globalThis.setTimeout(() => resolve(value), milliseconds);
      options?.signal?.addEventListener('abort', () => {
        globalThis.clearTimeout(timer);
        reject(options.signal?.reason);
      });
    });
  const bytes = (size: number) => Buffer.from(Array.from({ length: size }, () => random.below(256)));
  const patches = [
    patch(globalThis, 'setTimeout', timing('setTimeout')),
    patch(globalThis, 'setInterval', timing('setInterval')),
    patch(globalThis, 'setImmediate', immediate),
    patch(globalThis, 'clearTimeout', clearing(clearTimeout)),
    patch(globalThis, 'clearInterval', clearing(clearInterval)),
    patch(globalThis, 'clearImmediate', clearing(clearImmediate)),
    patch(globalThis, 'Date', SimulatedDate),
    patch(performance, 'now', () => clock.now),
    patch(timersPromises, 'setTimeout', pause),
    patch(timersPromises, 'setImmediate', () => new Promise<void>((resolve) => globalThis.setImmediate(resolve))),
    patch(crypto, 'randomBytes', bytes),
    patch(crypto, 'randomUUID', () => bytes(16).toString('hex')),
    patch(perfHooks, 'PerformanceObserver', NoObserver),
    patch(perfHooks, 'monitorEventLoopDelay', noDelay),
  ];
  syncBuiltinESMExports();
  return () => {
    for (const undo of patches.reverse()) undo();
    syncBuiltinESMExports();
  };
}

/** Resolves when everything is done that waits for nothing but itself. */
export const settle = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
