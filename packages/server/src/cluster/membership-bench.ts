import type { Bus, LinkEvent } from '@parley/keyspace/bus';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError } from '@parley/keyspace/keyspace-error';
import { openKeyspace } from '@parley/keyspace/open';
import { afterEach, beforeEach, expect, onTestFinished, vi } from 'vitest';
import { FRAME_VERSIONS, type FrameVersions } from './frame-versions.ts';
import { type Member, memberKeys } from './member.ts';
import { Membership, type MembershipHost } from './membership.ts';

export const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

/** The store of a test, and the nodes that have it in common. */
export class Bench {
  readonly store: Keyspace;
  readonly nodes: TestNode[] = [];
  /** By how much the keyspace's clock is off, at which no node looks. */
  readonly clock: { offset: number };

  constructor(store: Keyspace, clock: { offset: number }) {
    this.store = store;
    this.clock = clock;
  }

  node(id: string, frames?: FrameVersions, secretCheck?: string): TestNode {
    return new TestNode(this, id, frames, secretCheck);
  }

  join(id: string): Promise<TestNode> {
    return this.node(id).join();
  }

  /** Nodes that know each other. */
  async cluster<Ids extends string[]>(...ids: Ids): Promise<{ [Index in keyof Ids]: TestNode }> {
    const joined: TestNode[] = [];
    for (const id of ids) joined.push(await this.join(id));
    await pass(1000);
    for (const node of joined) {
      const others = ids.filter((id) => id !== node.self.id);
      expect(node.news().sort()).toEqual(others.map((id) => `joined ${id}`));
    }
    onTestFinished(() => {
      for (const node of joined) expect(node.faults).toEqual([]);
    });
    return joined as { [Index in keyof Ids]: TestNode };
  }

  /** The words of a member's entry. */
  async entry(id: string): Promise<string[]> {
    return String(await this.store.hget(memberKeys.key(), id)).split(' ');
  }
}

/** Gives each test a bench of its own, on which time passes when the test says so. */
export function benches(): () => Bench {
  let bench: Bench;
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const clock = { offset: 1_700_000_000_000 };
    const now = () => clock.offset + performance.now();
    const { keyspace, bus } = await openKeyspace('embedded::memory:', { node: 'store', now });
    bench = new Bench(keyspace, clock);
    bus.onPush((frame) => {
      for (const node of bench.nodes) node.receive(frame);
    });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await bench.store.close();
  });
  return () => bench;
}

/** A node with its own way to the store that all share. */
export class TestNode {
  readonly told: string[] = [];
  readonly self: Member;
  readonly faults: unknown[] = [];
  lease = { heartbeatMs: 1000, leaseMs: 10_000, absentMs: 3000 };
  reaps = true;
  onJoined: () => void = () => {};
  calls = 0;
  readonly #bench: Bench;
  readonly #pushed = new Set<(frame: Buffer) => void>();
  readonly #linked = new Set<(event: LinkEvent) => void>();
  #way: 'open' | 'cut' | 'frozen' = 'open';
  #thaw = Promise.withResolvers<void>();
  #running = 0;
  #membership: Membership | undefined;

  constructor(bench: Bench, id: string, frames = FRAME_VERSIONS, secretCheck?: string) {
    this.#bench = bench;
    this.self = { id, name: `node ${id}`, startedAt: 5, frames, version: '1.0.0', secretCheck };
    bench.nodes.push(this);
  }

  get membership(): Membership {
    if (!this.#membership) throw new Error('It has not joined');
    return this.#membership;
  }

  get others(): string {
    return [...this.membership.members.keys()].sort().join();
  }

  /** What was told since this was asked last. */
  news(): string[] {
    return this.told.splice(0);
  }

  async join(): Promise<this> {
    this.#membership = await Membership.join(this.host());
    return this;
  }

  /** Its process is gone: nothing runs, nobody listens. */
  kill(): void {
    this.#pushed.clear();
    this.#linked.clear();
    this.#way = 'frozen';
  }

  cut(): void {
    this.#way = 'cut';
    for (const listener of this.#linked) listener('down');
  }

  /** Another store answers, which lacks something. */
  changeStore(): void {
    this.cut();
    for (const listener of this.#linked) listener('storeChanged');
    this.heal();
  }

  heal(): void {
    this.#way = 'open';
    for (const listener of this.#linked) listener('up');
  }

  /** It stands still, and whoever sends it something does not notice. */
  freeze(): void {
    this.#way = 'frozen';
  }

  thaw(): void {
    this.#way = 'open';
    this.#thaw.resolve();
    this.#thaw = Promise.withResolvers();
  }

  receive(frame: Buffer): number {
    if (this.#way === 'cut' || this.#pushed.size === 0) return 0;
    if (this.#way === 'open') for (const listener of this.#pushed) listener(frame);
    return 1;
  }

  async #travel(): Promise<void> {
    if (this.#way === 'frozen') await this.#thaw.promise;
    if (this.#way === 'cut') throw new KeyspaceError('away', 'It is cut off.');
  }

  host(): MembershipHost {
    const listen = <Listener>(set: Set<Listener>, listener: Listener) => {
      set.add(listener);
      return () => set.delete(listener);
    };
    const call: Keyspace['call'] = async (operation, ...rest) => {
      this.calls += 1;
      this.#running += operation.name === 'heartbeat' ? 1 : 0;
      expect(this.#running).toBeLessThan(2);
      try {
        await this.#travel();
        return await this.#bench.store.call(operation, ...rest);
      } finally {
        this.#running -= operation.name === 'heartbeat' ? 1 : 0;
      }
    };
    const bus: Bus = {
      reconnect() {},
      publish: async (node, frame) => {
        await this.#travel();
        const reached = this.#bench.nodes.filter(({ self }) => node === '*' || node === self.id);
        return reached.reduce((count, other) => count + other.receive(frame), 0);
      },
      onPush: (listener) => listen(this.#pushed, listener),
      onLink: (listener) => listen(this.#linked, listener),
    };
    const tell = (...words: string[]) => void this.told.push(words.join(' '));
    return {
      keyspace: { call, state: this.#way === 'cut' ? 'down' : 'up' } as Keyspace,
      bus,
      self: this.self,
      lease: () => this.lease,
      onJoined: (member) => {
        tell('joined', member.id);
        this.onJoined();
      },
      onGone: (member, how) => tell(how, member.id),
      onReap: (member) => {
        tell('reap', member.id);
        if (this.reaps) void this.membership.dealtWith(member.id);
      },
      onFenced: () => tell('fenced'),
      onFault: (error) => this.faults.push(error),
    };
  }
}
