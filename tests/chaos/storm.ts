import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { TokenLogin } from '../support/login-ways.ts';
import { ManagedClient } from '../support/managed-client.ts';
import { Cluster } from './cluster.ts';
import { Ledger } from './ledger.ts';
import { Random } from './random.ts';
import { percentiles, ResumeTimes } from './resume-times.ts';
import type { ChaosSettings } from './settings.ts';
import { Timeline } from './timeline.ts';

/** Clients that log in at a time. */
const AT_A_TIME = 50;

/** Of the clients of the nodes that live on, so many talk to each other, and so many to those who are hit. */
const TALKERS = 90;
const WRITERS = 10;

/** How long nothing at all may move before what is missing counts as lost, in milliseconds. */
const STANDSTILL = 30_000;

/** Before the node dies, until all are back, and then. */
type Phase = 'before' | 'during' | 'after';

/**
 * One node of several dies with all its clients connected, or loses their connections only, and they come back to the
 * others all at once. A node that is alone is started again.
 */
export class Storm {
  readonly timeline = new Timeline();
  readonly ledger = new Ledger(this.timeline);
  readonly times = new ResumeTimes();
  readonly #settings: ChaosSettings;
  readonly #random: Random;
  cluster!: Cluster;
  #clients: ManagedClient[] = [];
  readonly #tokens: TokenLogin[] = [];
  #victims: ManagedClient[] = [];
  #talkers: ManagedClient[] = [];
  /** Whose session is not resumed yet. */
  readonly #away = new Set<string>();
  /** When each message between talkers was said that is not heard yet. */
  readonly #onTheirWay = new Map<string, { at: number; phase: Phase }>();
  readonly #latencies = { before: [] as number[], during: [] as number[], after: [] as number[] };
  #phase: Phase = 'before';

  constructor(settings: ChaosSettings) {
    this.#settings = settings;
    this.#random = new Random(settings.seed);
    onTestFinished(() => {
      for (const client of this.#clients) client.stop();
    });
  }

  async run() {
    const { clients: count, seed, nodes, move, calm } = this.#settings;
    const names = Array.from({ length: count }, (_, index) => `user${index}@localhost`);
    this.cluster = await Cluster.start({ ...this.#settings, timeline: this.timeline }, names);
    this.#clients = names.map((name, index) => this.#client(`${name}/storm`, index));
    const loggingIn = await this.#measured(() => this.#start());
    const isVictim = (index: number) => index % nodes === 0;
    this.#victims = this.#clients.filter((_, index) => isVictim(index));
    const spared = nodes === 1 ? this.#clients : this.#clients.filter((_, index) => !isVictim(index));
    this.#talkers = spared.slice(0, TALKERS + WRITERS);

    const over = new AbortController();
    const talking = this.#talk(over.signal);
    await pause(calm);
    const allBack = await this.#measured(() => this.#strike());
    this.#phase = 'after';
    await pause(calm);
    over.abort();
    await talking;
    const complete = await this.#until(
      () => this.ledger.complete,
      () => this.ledger.progress,
    );
    await Promise.all(this.#clients.map((client) => client.close()));
    if (nodes > 1 && !move) await this.cluster.nodes[0]?.start(); // which tells of its sessions as the others do
    return {
      ...{ seed, nodes, clients: count, victims: this.#victims.length },
      loggingIn,
      allBack,
      notBack: this.#away.size,
      byToken: this.#tokens.reduce((sum, { shown }) => sum + shown, 0),
      resumed: this.times.figures(),
      sinceAdmission: percentiles(this.#sinceAdmission()),
      resumesFailed: this.times.failed,
      latency: {
        before: percentiles(this.#latencies.before),
        during: percentiles(this.#latencies.during),
        after: percentiles(this.#latencies.after),
      },
      ...this.ledger.figures(),
      complete,
      ghosts: await this.cluster.ghosts(),
    };
  }

  #client(jid: string, index: number): ManagedClient {
    let first = true;
    const port = () => {
      const { nodes } = this.cluster;
      const node = first ? nodes[index % nodes.length] : this.#random.pick(nodes.length > 1 ? nodes.slice(1) : nodes);
      first = false;
      return node?.port ?? 0;
    };
    const observer = {
      said: (to: string, body: string) => this.ledger.said(jid, to, body),
      acknowledged: (count: number) => this.ledger.acknowledged(jid, count),
      heard: (from: string, body: string) => {
        this.ledger.heard(jid, from, body);
        const said = this.#onTheirWay.get(body);
        if (said === undefined || !this.#onTheirWay.delete(body)) return;
        const phase = this.#phase === 'during' ? 'during' : said.phase;
        this.#latencies[phase].push(performance.now() - said.at);
      },
      bounced: (id: string) => this.ledger.bounced(id),
      resumed: (_: number, sinceLost: number, sinceAsked: number) => {
        this.times.add('kill', sinceLost, sinceAsked);
        this.#away.delete(jid);
      },
      refused: (answer: string) => {
        if (!answer.includes('item-not-found')) return;
        this.times.failed++;
        this.#away.delete(jid);
      },
    };
    if (!this.#settings.fast) return new ManagedClient(jid, port, { observer, anew: true, tls: false });
    const way = new TokenLogin(jid, `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`);
    this.#tokens.push(way);
    return new ManagedClient(jid, port, { observer, anew: true, way });
  }

  /** What nodes took to give clients their sessions back, without what these waited for their turn. */
  #sinceAdmission(): number[] {
    const lines = this.cluster.nodes.flatMap(({ log }) => log as readonly { event?: string; milliseconds?: number }[]);
    return lines.flatMap(({ event, milliseconds = 0 }) => (event === 'session.resumed' ? [milliseconds] : []));
  }

  async #start(): Promise<void> {
    for (let index = 0; index < this.#clients.length; index += AT_A_TIME) {
      await Promise.all(this.#clients.slice(index, index + AT_A_TIME).map((client) => client.start()));
    }
  }

  /**
   * Those who are not hit talk to each other across nodes; some write to those who are, and so wait, as all that somebody
   * says is dealt with in its order.
   */
  async #talk(over: AbortSignal): Promise<void> {
    const { rate } = this.#settings;
    while (!over.aborted) {
      for (const [index, talker] of this.#talkers.entries()) {
        if (over.aborted) return;
        const toVictim = index >= TALKERS;
        const other = toVictim ? this.#random.pick(this.#victims) : this.#talkers[index ^ 1];
        if (other === undefined) continue;
        const body = this.ledger.next();
        if (!toVictim) this.#onTheirWay.set(body, { at: performance.now(), phase: this.#phase });
        talker.say(other.jid, body);
        await pause(1000 / rate / this.#talkers.length);
      }
    }
  }

  /** kill -9, or all connections of clients break; resolves when everybody has their session again. */
  async #strike(): Promise<void> {
    for (const { jid } of this.#victims) this.#away.add(jid);
    const fault = this.timeline.begin(this.#settings.move ? 'break' : 'kill', 'node-1');
    this.#phase = 'during';
    const [hit, ...others] = this.cluster.nodes;
    if (this.#settings.move) for (const victim of this.#victims) victim.break();
    else await hit?.kill();
    if (others.length === 0) await hit?.start();
    await this.#until(
      () => this.#away.size === 0,
      () => this.#away.size,
    );
    this.timeline.end(fault);
  }

  /** Waits for it as long as this number changes; whether it is so in the end. */
  async #until(done: () => boolean, moving: () => number): Promise<boolean> {
    let [last, since] = [moving(), performance.now()];
    while (!done() && performance.now() - since < STANDSTILL) {
      await pause(5);
      if (moving() !== last) [last, since] = [moving(), performance.now()];
    }
    return done();
  }

  /** Milliseconds that it takes. */
  async #measured(work: () => Promise<void>): Promise<number> {
    const began = performance.now();
    await work();
    return Math.round(performance.now() - began);
  }
}
