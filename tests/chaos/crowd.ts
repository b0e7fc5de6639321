import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { type Loss, ManagedClient } from '../support/managed-client.ts';
import type { Ledger } from './ledger.ts';
import { Random } from './random.ts';
import type { ResumeTimes } from './resume-times.ts';
import { CLIENT_PATIENCE, type Timeline } from './timeline.ts';

/** Where clients find nodes. */
export interface Entrances {
  /** Where this client, counted from 0, connects to at this attempt, counted from 0. */
  entrance(client: number, attempt: number, random: Random): number;
  /** The name of who listens on this port. */
  nameOf(port: number): string;
}

export interface CrowdOptions {
  readonly entrances: Entrances;
  readonly names: readonly string[];
  readonly seed: number;
  readonly timeline: Timeline;
  readonly ledger: Ledger;
  readonly times: ResumeTimes;
  /** What each client says in a second. */
  readonly rate: number;
  /** For how many milliseconds a connection may answer nothing, where that is another time than usual. */
  readonly patience?: number;
}

/** Clients that log in at a time. */
const AT_A_TIME = 10;

/** What one client may have said that is not acknowledged. */
const MOST_UNACKNOWLEDGED = 100;

/** How long nothing at all may arrive before what is missing counts as lost, in milliseconds. */
const STANDSTILL = 30_000;

const TICK = 10;

/** Clients with sessions that can be resumed, who talk to each other across nodes and come back to any node. */
export class Crowd {
  readonly clients: readonly ManagedClient[];
  readonly #options: CrowdOptions;
  readonly #random: Random;

  constructor(options: CrowdOptions) {
    this.#options = options;
    this.#random = new Random(options.seed + 1);
    this.clients = options.names.map((name, index) => this.#client(`${name}/chaos`, index));
    onTestFinished(() => this.stop());
  }

  #client(jid: string, index: number): ManagedClient {
    const { entrances, timeline, ledger, times, patience = CLIENT_PATIENCE } = this.#options;
    let attempts = 0;
    const port = () => entrances.entrance(index, attempts++, this.#random);
    const at = (from: number) => entrances.nameOf(from);
    let cause = '';
    const observer = {
      said: (to: string, body: string) => ledger.said(jid, to, body),
      acknowledged: (count: number) => ledger.acknowledged(jid, count),
      heard: (from: string, body: string) => ledger.heard(jid, from, body),
      bounced: (id: string) => ledger.bounced(id),
      lost: (from: number, how: Loss) => {
        cause = timeline.causeOf(at(from), how);
        timeline.befell(jid, `lost its connection to ${at(from)} (${how}: ${cause})`);
      },
      resumed: (on: number, sinceLost: number, sinceAsked: number) => {
        ledger.progress++;
        times.add(cause, sinceLost, sinceAsked);
        timeline.befell(jid, `resumed on ${at(on)} ${Math.round(sinceLost)} ms later`);
      },
      refused: (answer: string) => {
        if (answer.includes('item-not-found')) times.failed++;
        timeline.befell(jid, `did not resume: ${answer}`);
      },
    };
    return new ManagedClient(jid, port, { observer, patience, anew: true });
  }

  async start(): Promise<void> {
    for (let index = 0; index < this.clients.length; index += AT_A_TIME) {
      await Promise.all(this.clients.slice(index, index + AT_A_TIME).map((client) => client.start()));
    }
  }

  /** Everybody talks, mostly to one other, now and then to somebody else, and sometimes a lot at once. */
  async talk(goesOn: () => boolean): Promise<void> {
    const { rate } = this.#options;
    let last = performance.now();
    while (goesOn()) {
      await pause(TICK);
      const now = performance.now();
      const chance = (rate * (now - last)) / 1000;
      last = now;
      this.clients.forEach((client, index) => {
        for (let due = chance; due > 0; due--) {
          if (this.#random.next() < due) this.#speak(client, index);
        }
      });
    }
  }

  #speak(client: ManagedClient, index: number): void {
    const { ledger } = this.#options;
    const { length } = this.clients;
    const other = this.#random.next() < 0.9 ? index ^ 1 : (index + (length >> 1)) % length;
    const words = this.#random.next() < 0.02 ? 10 : 1;
    const to = this.clients[other];
    for (let word = 0; word < words && to && to !== client; word++) {
      if (client.said.length - client.acknowledged < MOST_UNACKNOWLEDGED) client.say(to.jid, ledger.next());
    }
  }

  /** One of them loses its connection. */
  break(random: Random): void {
    random.pick(this.clients).break();
  }

  /** Waits until everything has arrived. False where nothing moves any more before that. */
  async settled(): Promise<boolean> {
    const { ledger } = this.#options;
    let [progress, since] = [ledger.progress, performance.now()];
    while (!ledger.complete) {
      if (performance.now() - since > STANDSTILL) return false;
      await pause(50);
      if (ledger.progress !== progress) [progress, since] = [ledger.progress, performance.now()];
    }
    return true;
  }

  /** All sessions end in order. False where some do not. */
  async close(): Promise<boolean> {
    const late = pause(STANDSTILL, false, { ref: false });
    return Promise.race([Promise.all(this.clients.map((client) => client.close())).then(() => true), late]);
  }

  stop(): void {
    for (const client of this.clients) client.stop();
  }
}
