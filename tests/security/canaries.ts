import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { TestServer } from '../support/server.ts';

/** No client may keep the others waiting for longer, whatever it does. Milliseconds. */
const LONGEST_STALL = 250;

/**
 * For how long the event loop did nothing but work, at most, in milliseconds: another process may take the processor away, and
 * what stood still without working was not we.
 */
class Stalls implements Disposable {
  #longest = 0;
  #before = process.threadCpuUsage();
  readonly #timer = setInterval(() => this.#look(), 1);

  #look(): void {
    const now = process.threadCpuUsage();
    this.#longest = Math.max(this.#longest, (now.user + now.system - this.#before.user - this.#before.system) / 1000);
    this.#before = now;
  }

  get longest(): number {
    this.#look();
    return this.#longest;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

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
  using stalls = new Stalls();
  const result = await attack();
  left = 5;
  await chatting;
  expect(stalls.longest).toBeLessThan(LONGEST_STALL);
  expect(await juliet.sync()).toEqual([]);
  return result;
}
