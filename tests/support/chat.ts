import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { TestClient } from './client.ts';

const PAUSE_MS = 2;

/** Two clients who talk without pause, and must not feel what others do meanwhile. */
export class Chat {
  readonly #one: TestClient;
  readonly #other: TestClient;
  #rounds = 0;
  #stopped = false;
  readonly #running: Promise<void>;

  /** Both are available and have read what came until now. */
  constructor(one: TestClient, other: TestClient) {
    this.#one = one;
    this.#other = other;
    this.#running = this.#run();
    this.#running.catch(() => {}); // told by whoever waits for it
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#say(this.#one, this.#other);
      await this.#say(this.#other, this.#one);
      this.#rounds++;
      await delay(PAUSE_MS);
    }
  }

  async #say(from: TestClient, to: TestClient): Promise<void> {
    const body = `${from.bare} ${this.#rounds}`;
    from.send(`<message type='chat' to='${to.bare}'><body>${body}</body></message>`);
    const got = await to.next();
    expect([got.name, got.attr('from'), got.childText('body')]).toEqual(['message', from.jid, body]);
  }

  /** Resolves when they have said so much more. */
  async goesOn(rounds = 3): Promise<void> {
    const until = this.#rounds + rounds;
    while (this.#rounds < until) await Promise.race([this.#running, delay(PAUSE_MS)]);
  }

  /** Ends it. Fails where a word was lost, changed, out of order or said twice. */
  async end(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    for (const client of [this.#one, this.#other]) expect(client.inbox.map(String)).toEqual([]);
  }
}
