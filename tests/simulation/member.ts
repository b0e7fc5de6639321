import { internalAccounts } from '@parley/server/accounts';
import type { Configuration } from '@parley/server/config/schema';
import { Log } from '@parley/server/log';
import type { Module } from '@parley/server/module';
import { Node } from '@parley/server/node';
import { Jid } from '@parley/xmpp/jid';
import type { SimulatedClock } from './clock.ts';
import { Connection, type Peer } from './connection.ts';
import { SimulatedBus, SimulatedKeyspace } from './keyspace.ts';
import { SimulatedLinks } from './links.ts';
import type { Random } from './random.ts';
import type { SimulatedStore } from './store.ts';

export interface MemberHost {
  readonly clock: SimulatedClock;
  readonly store: SimulatedStore;
  readonly random: Random;
  readonly config: Configuration;
  readonly modules: readonly Module[];
  /** How many idle timers its process has besides. */
  readonly shift: number;
  /** Whether the nodes know each other. */
  readonly clustered: boolean;
  onLog(member: Member, line: Record<string, unknown>): void;
}

/** How often an idle timer fires, in milliseconds. */
const IDLE_MS = 1000;

export type MemberState = 'starting' | 'serving' | 'stopping' | 'dead';

/** One run of a server's process, from its start to its death. */
export class Member {
  readonly name: string;
  readonly links: SimulatedLinks;
  readonly connections = new Set<Connection>();
  state: MemberState = 'starting';
  paused = false;
  readonly #host: MemberHost;
  readonly #keyspace: SimulatedKeyspace;
  #node: Node | undefined;

  constructor(name: string, host: MemberHost) {
    this.name = name;
    this.#host = host;
    const { clock, store, random, shift } = host;
    const id = Array.from({ length: 16 }, () => random.below(16).toString(16)).join('');
    this.links = new SimulatedLinks(store, clock, this, id);
    this.#keyspace = new SimulatedKeyspace(this.links, store);
    for (let idle = shift; idle > 0; idle--) clock.setTimeout(this, () => {}, IDLE_MS, [], true);
    clock.run(this, () => void this.#start(id));
  }

  get running(): boolean {
    return this.state !== 'dead' && !this.paused;
  }

  /** Has it do nothing for a while. */
  pause(paused: boolean): void {
    this.paused = paused;
  }

  async #start(id: string): Promise<void> {
    const { config, modules, store, clustered } = this.#host;
    const bus = new SimulatedBus(this.links, store);
    const output = { write: (line: string) => this.#host.onLog(this, JSON.parse(line)) };
    const options = {
      config,
      keyspace: this.#keyspace,
      log: Log.create({ level: 'info' as const, output }),
      modules,
      accounts: internalAccounts,
      ...(clustered ? { cluster: { bus, id, name: this.name } } : {}),
      onFenced: () => this.kill(),
    };
    try {
      const node = await Node.start(options);
      this.#node = node;
      if (this.state === 'starting') this.state = 'serving';
    } catch (error) {
      // the operator's supervisor starts it anew
      this.#host.onLog(this, { level: 'warn', event: 'start.failed', error: String(error) });
      this.#die();
    }
  }

  /** A connection of a client that has proved to be this account. */
  connect(account: string, peer: Peer): Connection {
    const connection = new Connection(this.#host.clock, this, peer);
    this.connections.add(connection);
    this.#host.clock.run(this, () => {
      this.#node?.attach(connection.transport).authenticated(Jid.parse(account), 'TEST');
    });
    return connection;
  }

  /** Ends in order. */
  stop(): void {
    this.state = 'stopping';
    this.#host.clock.run(this, async () => {
      await this.#node?.stop();
      await this.#keyspace.close();
      this.#die();
    });
  }

  kill(): void {
    this.links.kill(this.#host.random);
    this.#die();
  }

  #die(): void {
    if (this.state === 'dead') return;
    this.state = 'dead';
    this.#host.store.secure(); // what it alone knew it could not tell anybody
    this.links.close();
    for (const connection of this.connections) connection.kill(this.#host.random);
    this.#host.clock.forget(this);
  }
}
