import { createHash } from 'node:crypto';
import { SimulatedClock } from './clock.ts';
import type { Connection } from './connection.ts';
import { Device } from './device.ts';
import { settle } from './environment.ts';
import { Ledger } from './ledger.ts';
import { Member, type MemberHost } from './member.ts';
import type { Random } from './random.ts';
import type { Scenario } from './scenario.ts';
import { SimulatedStore } from './store.ts';

/** Something that can happen now. */
type Event = () => void | Promise<void>;

/** How often what is late may happen, among all else that may. */
const LATE = 0.03;

/** Milliseconds after a failover in which no node is lost. */
const SETTLES = 15_000;

/** The store is one server in some runs, and several in others. */
const MOST_SHARDS = 2;

const START = Date.UTC(2026, 0, 1);

/** How the nodes are set up, which is the same in all runs. */
export type Setting = Pick<MemberHost, 'config' | 'modules'> & {
  /** Has the store hold the accounts. */
  prepare(store: SimulatedStore, accounts: readonly string[]): Promise<void>;
};

/** Nodes, their store, their clients, and what is under way between them. */
export class World {
  readonly clock = new SimulatedClock(START);
  readonly store: SimulatedStore;
  readonly ledger: Ledger;
  readonly devices: readonly Device[];
  /** Those that do not come back. */
  readonly away = new Set<Device>();
  /** The newest run of each node. */
  readonly members: Member[] = [];
  readonly random: Random;
  readonly scenario: Scenario;
  /** How often what happened. */
  readonly counts = new Map<string, number>();
  /** All that are not over, with the node that each leads to. */
  readonly #connections = new Map<Connection, string>();
  readonly #setting: Setting & Pick<MemberHost, 'shift'>;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #hash = createHash('sha256');
  #lines = 0;
  #settled = 0;

  constructor(
    random: Random,
    scenario: Scenario,
    setting: Setting & Pick<MemberHost, 'shift'>,
    trace?: (line: string) => void,
  ) {
    this.random = random;
    this.scenario = scenario;
    this.ledger = new Ledger(scenario.once);
    this.store = new SimulatedStore(() => this.clock.date, 1 + random.below(MOST_SHARDS));
    this.#setting = setting;
    this.#trace = trace;
    const host = { ledger: this.ledger, random, now: () => this.clock.now };
    this.devices = scenario.clients.map((name, place) => new Device(name.replace('/', '@localhost/'), place, host));
  }

  /** The accounts are there, and the nodes begin to start. */
  async begin(): Promise<void> {
    await this.#setting.prepare(this.store, [...new Set(this.devices.map(({ account }) => account))]);
    for (let place = 0; place < this.scenario.nodes; place++) this.start(place);
  }

  /** Everything that has happened, in short. */
  get digest(): string {
    return this.#hash.copy().digest('hex');
  }

  note(what: string): void {
    const line = `${this.#lines++} ${this.clock.now} ${what}`;
    this.#hash.update(line);
    this.#trace?.(line);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  // --- nodes --------------------------------------------------------------------------------------------------------

  /** A replica takes the place of one shard of the store, and all nodes live that are to tell it what it lacks. */
  failOver(): void {
    for (const member of this.members) member.pause(false);
    const shard = this.random.below(this.store.shards);
    this.note(`FAILOVER of ${shard} loses ${this.store.failOver(shard, this.random)}`);
    this.ledger.failover = this.ledger.now;
    this.#settled = this.clock.now + SETTLES;
  }

  /** The nodes have not told the store yet what it lacks: none of them may be lost. */
  get settling(): boolean {
    return this.clock.now < this.#settled;
  }

  start(place: number): void {
    const before = this.members[place];
    const run = before === undefined ? 1 : Number(before.name.split('.')[1]) + 1;
    this.note(`START n${place}.${run}`);
    this.members[place] = new Member(`n${place}.${run}`, {
      clock: this.clock,
      store: this.store,
      random: this.random,
      clustered: this.scenario.nodes > 1,
      config: this.#setting.config,
      modules: this.#setting.modules,
      shift: this.#setting.shift,
      onLog: (member, line) => this.#onLog(member, line),
    });
  }

  #onLog({ name }: Member, line: Record<string, unknown>): void {
    if (this.members.every((member) => member.name !== name || member.state === 'dead')) return; // nobody reads it
    this.note(`${name} LOG ${JSON.stringify(line)}`);
    if (line.event === 'cluster.gone') this.store.secure(); // what that node alone knew it cannot tell anybody
    if (line.event === 'node.fenced') return; // which is meant to be
    if (line.level === 'error' || line.level === 'fatal') this.ledger.violate(`FAULT ${name}: ${JSON.stringify(line)}`);
  }

  get serving(): Member[] {
    return this.members.filter(({ state }) => state === 'serving');
  }

  connect(device: Device, to?: Member): void {
    const { serving } = this;
    if (serving.length === 0) return;
    const member = to ?? this.random.pick(serving);
    this.note(`${device.jid} CONNECT ${member.name}`);
    const connection = member.connect(device.account, device);
    this.#connections.set(connection, member.name);
    device.connect(connection);
  }

  // --- events -------------------------------------------------------------------------------------------------------

  /** What is under way and may go on now, each time another one. */
  get #events(): Event[] {
    const events: Event[] = [];
    for (const member of this.members) {
      const { name } = member;
      for (const link of member.links.all) {
        if (link.hasRequest) events.push(async () => this.note(`${name} EXECUTED ${await link.execute()}`));
        if (link.hasAnswer) events.push(() => this.note(`${name} ANSWERED ${link.answer()}`));
        if (link.hasFrame) events.push(() => link.deliver());
        if (link.hasLoss) events.push(() => link.notice());
      }
      if (this.clock.hasTurn(member)) events.push(() => this.clock.turn(member, settle));
      if (this.clock.isDue(member)) events.push(() => this.clock.fire(member));
    }
    for (const [connection, name] of this.#connections) {
      if (connection.over) this.#connections.delete(connection);
      if (connection.hasForNode) events.push(() => this.note(`${name} <- ${connection.deliverToNode()}`));
      if (connection.hasForClient) events.push(() => this.note(`${name} -> ${connection.deliverToClient()}`));
    }
    // what was on its way when a connection broke may well be late
    if (events.length === 0 || this.random.chance(LATE)) {
      for (const late of this.store.late) {
        events.push(async () => this.note(`LATE ${await this.store.executeLate(late, this.clock.now)}`));
      }
    }
    return events;
  }

  /** Lets something that is under way go on. False where nothing is. */
  async happen(): Promise<boolean> {
    const events = this.#events;
    if (events.length === 0) return false;
    this.ledger.now++;
    await this.random.pick(events)();
    await settle();
    return true;
  }

  /** Time goes by. */
  pass(milliseconds: number): void {
    this.clock.advance(milliseconds);
    for (const { links } of this.members) for (const link of links.all) if (link.late) link.giveUp(this.random);
    for (const device of this.devices) device.wait(this.#isApart(device));
  }

  /** Whether the node that a client is connected to is cut off from the others, of which the client hears nothing. */
  #isApart({ connection }: Device): boolean {
    if (this.scenario.nodes === 1 || connection === undefined) return false;
    const member = this.members.find(({ connections }) => connections.has(connection));
    return member === undefined || !member.running || !member.links.up;
  }
}
