import type { Connection } from './connection.ts';
import { Device } from './device.ts';
import { Faults } from './faults.ts';
import { journalKey } from './journal.ts';
import { Ledger } from './ledger.ts';
import type { Link } from './link.ts';
import { Node } from './node.ts';
import type { OriginRules } from './origins.ts';
import { Random } from './random.ts';
import type { Rules } from './rules.ts';
import type { Scenario } from './scenario.ts';
import type { Schedule } from './schedule.ts';
import { Shard } from './shard.ts';
import { offerNode } from './work.ts';

const NODES = ['n1', 'n2', 'n3'];

/** Everything of one run: shards, nodes, clients, and what goes wrong. */
export class World {
  readonly scenario: Scenario;
  readonly rules: Rules;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly originRules: OriginRules;
  readonly trace: ((line: string) => void) | undefined;
  readonly shards: readonly Shard[];
  readonly links: Link[] = [];
  readonly connections: Connection[] = [];
  readonly devices: readonly Device[];
  nodes: Node[] = [];
  /** Events so far: the time of this world. */
  now = 0;
  /** No more faults: what is under way comes to its end. */
  healing = false;
  readonly #faults: Faults;
  readonly #shardOf = new Map<string, Shard>();
  #incarnations = 0;
  #eids = 0;
  #sids = 0;

  constructor(seed: number, scenario: Scenario, rules: Rules, trace?: (line: string) => void) {
    this.scenario = scenario;
    this.rules = rules;
    this.random = new Random(seed);
    this.originRules = {
      effects: rules.effectInOrigin,
      exact: rules.exactOrigins,
      window: rules.ownBelowLow && scenario.failover > 0 ? 64 : 0,
    };
    this.trace = trace && ((line) => trace(`${this.now} ${line}`));
    this.ledger = new Ledger(() => this.now, scenario.failover > 0);
    this.#faults = new Faults(this);
    this.shards = Array.from({ length: scenario.shards }, () => new Shard(this));
    for (const { name, shard } of scenario.accounts) this.#shardOf.set(name, this.shards[shard] as Shard);
    this.nodes = NODES.map((name) => this.#newNode(name));
    this.devices = scenario.accounts.flatMap((plan) =>
      plan.resources.map((resource) => new Device(this, plan, resource)),
    );
    for (const device of this.devices) device.begin(this.random.pick(this.nodes));
  }

  get liveNodes(): readonly Node[] {
    return this.nodes.filter(({ alive }) => alive);
  }

  shardOf(account: string): Shard {
    return this.#shardOf.get(account) as Shard;
  }

  devicesOf(account: string): readonly Device[] {
    return this.devices.filter((device) => device.account === account);
  }

  newEid(): number {
    return ++this.#eids;
  }

  newSid(device: Device): string {
    return `${device.account.toLowerCase()}${device.resource}-${++this.#sids}`;
  }

  #newNode(name: string): Node {
    return new Node(this, name, `${name}.${++this.#incarnations}`);
  }

  restart(node: Node): void {
    this.trace?.(`${node.name} starts again`);
    this.nodes = this.nodes.map((other) => (other === node ? this.#newNode(node.name) : other));
  }

  /** Whether others may take an incarnation for dead: it is, or has been paused for long. */
  leaseIsOver(incarnation: string): boolean {
    const node = this.nodes.find((other) => other.incarnation === incarnation);
    return node === undefined || !node.alive || (node.paused && this.random.chance(0.3));
  }

  /** Whether the deadline of a detached session has passed. */
  timeIsUp(): boolean {
    return this.scenario.sessionsEnd && this.random.chance(0.3);
  }

  learn(shard: Shard): void {
    if (shard.settling.mayLearn()) for (const node of this.liveNodes) node.learn(shard);
  }

  wake(shard: Shard): void {
    for (const node of this.liveNodes) node.wake(shard);
  }

  offer(schedule: Schedule): void {
    for (const device of this.devices) device.offer(schedule);
    for (const node of this.nodes) if (node.alive && !node.paused) offerNode(schedule, node);
    for (const connection of this.connections) offerReading(schedule, connection);
    this.#faults.offer(schedule);
  }

  /** Forgets what can have no effect any more. */
  tidy(): void {
    const connections = this.connections.filter(({ nodeOpen, clientOpen }) => nodeOpen || clientOpen);
    this.connections.splice(0, this.connections.length, ...connections);
    const links = this.links.filter(({ open, hasCommands }) => open || hasCommands);
    this.links.splice(0, this.links.length, ...links);
  }

  /** What has not come to rest. */
  get unrest(): string[] {
    const unrest = this.remains;
    for (const { content, account, resource } of this.devices)
      if (!content) unrest.push(`client ${account}/${resource}`);
    for (const { settling } of this.shards) if (!settling.over) unrest.push('a shard');
    for (const link of this.links) if (link.open ? !link.idle : link.hasCommands) unrest.push('a link');
    for (const { alive, paused, incarnation, sessions, lanes } of this.nodes) {
      if (!alive || paused) unrest.push(`node ${incarnation}`);
      for (const { idle, sid } of sessions.values()) if (!idle) unrest.push(`${sid} at ${incarnation}`);
      for (const [account, { idle }] of lanes) if (!idle) unrest.push(`lane to ${account} of ${incarnation}`);
    }
    return unrest;
  }

  /** What is in the stores and belongs to nobody. */
  get remains(): string[] {
    const remains: string[] = [];
    for (const { name } of this.scenario.accounts) {
      const shard = this.shardOf(name);
      const { sessions } = shard.record(name);
      for (const { sid, node, epoch } of sessions) {
        const owner = this.nodes.find(({ incarnation }) => incarnation === node)?.sessions.get(sid);
        if (owner?.epoch !== epoch || !owner.connection.clientOpen) remains.push(`session ${sid} of ${node}`);
      }
      if (sessions.some(({ available }) => available) && shard.offline(name).length > 0)
        remains.push(`offline of ${name}`);
    }
    return remains;
  }

  /** Journals without a session. */
  get orphans(): string[] {
    const orphans: string[] = [];
    for (const shard of this.shards) {
      const keys = new Set<string>();
      for (const { sessions } of shard.keys.records.values()) {
        for (const { sid, epoch } of sessions) keys.add(journalKey(sid, epoch));
      }
      for (const key of shard.keys.journals.keys()) if (!keys.has(key)) orphans.push(key);
    }
    return orphans;
  }
}

const read = (connection: Connection) => connection.node.read(connection);

function offerReading(schedule: Schedule, connection: Connection): void {
  const { node, nodeOpen, up, session } = connection;
  if (!nodeOpen || !node.alive || node.paused || session === undefined || session.resyncing) return;
  if (up.length > 0 && session.shard.settling.over) schedule.offer(3, read, connection);
}
