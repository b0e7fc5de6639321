import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { TestServer } from '../support/server.ts';

/** No client may keep the others waiting for longer, whatever it does. Milliseconds. */
const LONGEST_STALL = 250;

/**
 * Two clients that chat while an attack runs: every message arrives, once and in order, and the event loop is never
 * blocked for long. Waits for a few messages more after the attack.
 */
export async function undisturbed<T>(server: TestServer, attack: () => T | Promise<T>): Promise<T> {
  const romeo = await server.client('romeo@localhost/canary');
  const juliet = await server.client('juliet@localhost/canary');
  let left = Number.POSITIVE_INFINITY;
  const chat = async () => {
    for (let id = 0; left-- > 0; id++) {
      romeo.send(`<message to='juliet@localhost/canary' id='${id}'><body>${'x'.repeat(id)}</body></message>`);
      expect((await juliet.nextMessage()).attr('id')).toBe(String(id));
      await delay(2);
    }
  };
  const chatting = chat();
  const stalls = monitorEventLoopDelay({ resolution: 1 });
  stalls.enable();
  const before = process.cpuUsage();
  const result = await attack();
  left = 5;
  await chatting;
  stalls.disable();
  const { user, system } = process.cpuUsage(before);
  // Another process may take the processor away: what blocked for that long without working was not we.
  expect(Math.min(stalls.max / 1e6, (user + system) / 1e3)).toBeLessThan(LONGEST_STALL);
  expect(await juliet.sync()).toEqual([]);
  return result;
}
