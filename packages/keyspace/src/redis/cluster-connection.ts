import type { LinkEvent } from '../bus.ts';
import { hashTag, PARTITIONS, partitionTag } from '../key.ts';
import { KeyspaceError } from '../keyspace-error.ts';
import type { Trouble } from '../trouble.ts';
import type { HostPort } from './address.ts';
import type { Connection, Way } from './connection.ts';
import type { Link } from './link.ts';
import type { Request } from './request.ts';
import { type Redirection, readRedirection, readSlots, SLOTS, type SlotRange, slotOf } from './slot.ts';

/** One server of the cluster that has slots. */
export interface Server {
  readonly address: HostPort;
  readonly link: Link;
  /** It had slots before, or is getting some: so it is no replica that has just taken its primary's place. */
  primary: boolean;
}

/** Of a server that is about to be connected to. */
export interface Shard {
  tag(): string;
  moved(): void;
  onChange(): void;
}

export interface ClusterConnectionHost {
  /** What the whole connection lacks. */
  readonly trouble: Trouble;
  /** The channels whose frames are for this node. */
  readonly channels: readonly string[];
  connect(address: HostPort, shard: Shard): Link;
  /** CLUSTER SLOTS of a server to which there is no link, and its host; rejects where none of those can be asked. */
  askAny(): Promise<[reply: unknown, host: string]>;
}

/** How often the cluster is asked who has which slots: while something is away, and otherwise, in milliseconds. */
const LOOK_SOON = 200;
const LOOK_AGAIN = 10_000;

/** So often a command may be told that it has to go elsewhere. */
const MOST_HOPS = 5;

/** The tags of all keys, by which each server is tried out. */
const TAGS = ['global', ...Array.from({ length: PARTITIONS }, (_, number) => hashTag(partitionTag(number)))];

/**
 * The servers of a Redis Cluster, a link to each primary. Which has which slot they tell themselves, by their answer to
 * CLUSTER SLOTS and, where that is not true any more, to a command.
 *
 * It is up where all slots are served and heard from; commands go out wherever their own server is. Where another run of a
 * server answers for a slot than did before, the store has changed: a replica that took its primary's place, or a server
 * that was started again, may lack the newest writes. A slot that was moved between two primaries that both live lacks
 * nothing; that the former one can be reached proves nothing where it may be a replica by now, which has lost them, too.
 */
export class ClusterConnection implements Connection {
  readonly #host: ClusterConnectionHost;
  readonly #listeners = new Set<(event: LinkEvent) => void>();
  readonly #servers = new Map<string, Server>();
  readonly #owners: (Server | undefined)[] = Array(SLOTS).fill(undefined);
  /** The run of a server that had the slot when it was heard of last. */
  readonly #stores: (string | undefined)[] = Array(SLOTS).fill(undefined);
  readonly #closing = new Set<Promise<void>>();
  #up = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #lookAgain = false;

  constructor(host: ClusterConnectionHost) {
    this.#host = host;
  }

  get up(): boolean {
    return this.#up;
  }

  get ways(): readonly Way[] {
    const lanes = new Map(TAGS.map((lane) => [this.#owners[slotOf(lane)], lane]));
    return [...lanes.values()].map((lane) => ({ lane }));
  }

  onLink(listener: (event: LinkEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  submit(request: Request): void {
    const link = this.#linkOf(request.lane);
    if (link === undefined) throw new KeyspaceError('away', 'No server of the Redis Cluster has this slot.');
    link.submit(this.#following(request, link, 0));
  }

  knows(lane: string, sha: string): boolean {
    return this.#linkOf(lane)?.knows(lane, sha) === true;
  }

  reconnect(reason: string): void {
    const hearing = new Set(this.#host.channels.map((channel) => this.#linkOf(channel)));
    for (const link of hearing) link?.reconnect(reason);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const address of [...this.#servers.keys()]) this.#leave(address);
    await Promise.all(this.#closing);
  }

  /** Asks the cluster who has which slots, and connects to them. */
  look(): void {
    if (this.#closed) return;
    this.#lookAgain = this.#looking;
    if (!this.#looking) void this.#look();
  }

  async #look(): Promise<void> {
    this.#looking = true;
    clearTimeout(this.#timer);
    try {
      const ranges = readSlots(...(await this.#askOne()));
      if (!this.#closed) this.#take(ranges);
    } catch {
      // whoever was asked has told the host why, and another one may know next time
    }
    this.#looking = false;
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#look(), this.#up ? LOOK_AGAIN : LOOK_SOON).unref();
    if (this.#lookAgain) this.look();
  }

  /** Each time another server that is there, so that one that knows nothing new is not asked for ever. */
  async #askOne(): Promise<[reply: unknown, host: string]> {
    const there = [...this.#servers.values()].filter(({ link }) => link.up);
    const server = there[Math.floor(Math.random() * there.length)];
    if (server === undefined) return this.#host.askAny();
    const replies = await new Promise<readonly unknown[]>((answer) => {
      server.link.submit({ commands: [{ name: 'CLUSTER', args: ['SLOTS'] }], lane: '', atomic: false, answer });
    });
    if (replies[0] instanceof Error) throw replies[0];
    return [replies[0], server.address.host];
  }

  #take(ranges: readonly SlotRange[]): void {
    const before = new Set(this.#servers.keys());
    this.#owners.fill(undefined);
    for (const { first, last, host, port } of ranges) {
      const server = this.#serverAt({ host, port });
      before.delete(nameOf(server.address));
      this.#owners.fill(server, first, last + 1);
    }
    const owners = new Set(this.#owners.filter((server) => server !== undefined));
    for (const server of owners) this.#note(server, owners);
    for (const server of owners) server.primary = true;
    for (const address of before) this.#leave(address);
    this.#listen();
    this.#tellState();
  }

  #serverAt(address: HostPort): Server {
    const name = nameOf(address);
    const known = this.#servers.get(name);
    if (known) return known;
    const link = this.#host.connect(address, {
      tag: () => TAGS.find((tag) => this.#owners[slotOf(tag)]?.link === link) ?? 'global',
      moved: () => this.look(),
      onChange: () => this.#onChange(server),
    });
    const server: Server = { address, link, primary: false };
    this.#servers.set(name, server);
    link.onLink(() => this.#onChange(server));
    return server;
  }

  /** Whether it is another store comes first: whoever hears that all is well again has to know. */
  #onChange(server: Server): void {
    this.#note(server);
    this.#tellState();
  }

  #leave(address: string): void {
    const link = this.#servers.get(address)?.link;
    this.#servers.delete(address);
    const closed = link?.close().finally(() => this.#closing.delete(closed as Promise<void>));
    if (closed) this.#closing.add(closed);
  }

  /** What is heard of a server, about its slots. `primaries` are those that are known to have slots now. */
  #note(server: Server, primaries: Iterable<Server> = []): void {
    const { storeId, up } = server.link;
    if (!up || storeId === undefined) return;
    const alive = new Set<string | undefined>([undefined, storeId]);
    for (const { link } of server.primary ? this.#servers.values() : primaries) if (link.up) alive.add(link.storeId);
    let changed = false;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#owners[slot] !== server) continue;
      if (!alive.has(this.#stores[slot])) changed = true;
      this.#stores[slot] = storeId;
    }
    if (changed) this.#tell('storeChanged');
  }

  /** Each channel is heard from the server that has its slot. */
  #listen(): void {
    for (const server of this.#servers.values()) {
      const channels = this.#host.channels.filter((channel) => this.#owners[slotOf(channel)] === server);
      void server.link.hear(channels).then(() => this.#tellState());
    }
  }

  #tellState(): void {
    if (this.#closed) return;
    const links = [...this.#servers.values()].map(({ link }) => link);
    this.#host.trouble.set(this.#reason());
    const up = links.length > 0 && this.#complete && links.every((link) => link.up && link.hears);
    if (up === this.#up) return;
    this.#up = up;
    this.#tell(up ? 'up' : 'down');
    if (!up) this.look();
  }

  get #complete(): boolean {
    return !this.#owners.includes(undefined);
  }

  #reason(): KeyspaceError | undefined {
    for (const { link } of this.#servers.values()) if (link.trouble) return link.trouble;
    if (this.#complete) return undefined;
    return new KeyspaceError('away', 'The Redis Cluster does not serve all of its slots.');
  }

  #linkOf(lane: string): Link | undefined {
    return this.#owners[slotOf(lane === '' ? 'global' : lane)]?.link;
  }

  /** The request, whose commands follow where the server says that they have to go: it has not done anything of them. */
  #following(request: Request, link: Link, hops: number): Request {
    const { commands, atomic } = request;
    const answer = (replies: unknown[]) => {
      const server = [...this.#servers.values()].find((each) => each.link === link);
      const asked = server?.address.host ?? '';
      const redirected = replies.flatMap((reply, at) => {
        const to = reply instanceof Error ? readRedirection(reply.message, asked) : undefined;
        return to === undefined ? [] : [{ at, to }];
      });
      const [first] = redirected;
      if (first === undefined || hops === MOST_HOPS || this.#closed) return request.answer(replies);
      if (atomic) return this.#follow(request, first.to, hops);
      let left = redirected.length;
      for (const { at, to } of redirected) {
        const settle = ([reply]: unknown[]) => {
          replies[at] = reply;
          if (--left === 0) request.answer(replies);
        };
        this.#follow({ ...request, commands: commands.slice(at, at + 1), answer: settle }, to, hops);
      }
    };
    return { ...request, answer };
  }

  #follow(request: Request, to: Redirection, hops: number): void {
    try {
      const link = this.#redirect(to);
      // the command after ASKING is taken by a server that is just getting the slot
      if (to.kind === 'ASK') link.submit({ ...request, commands: [ASKING], atomic: false, answer: () => {} });
      link.submit(this.#following(request, link, hops + 1));
    } catch (error) {
      request.answer(request.commands.map(() => error));
    }
  }

  #redirect({ kind, slot, host, port }: Redirection): Link {
    const server = this.#serverAt({ host, port });
    if (kind === 'ASK') server.primary = true;
    if (kind !== 'MOVED' || this.#owners[slot] === server) return server.link;
    this.#owners[slot] = server;
    this.#note(server);
    this.look();
    return server.link;
  }

  #tell(event: LinkEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

const ASKING = { name: 'ASKING', args: [] };

const nameOf = ({ host, port }: HostPort): string => `${host}:${port}`;
