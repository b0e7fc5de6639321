import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';
import type { Peers } from '../peers.ts';
import type { Awaitable } from '../pipeline.ts';
import { readDelta, writeDelta } from './groups/delta-text.ts';
import type { Group, GroupChange, GroupDelta, GroupWish } from './groups/group.ts';
import { GroupStore } from './groups/group-store.ts';
import { GroupTable } from './groups/group-table.ts';
import { GroupViews } from './groups/group-views.ts';

export interface GroupsOptions {
  readonly keyspace: Keyspace;
  readonly peers: Peers;
  /** Whether anybody may come to this domain without an account: there `everyone` is nobody. */
  letsGuestsIn(domain: string): boolean;
  onFault(error: unknown): void;
  readonly settleMs?: number;
}

/** People that one operation adds or removes at most; more are several changes. */
const MOST_AT_ONCE = 500;
/** Whoever made a change may die before it has told everybody that everybody knows: then that is taken for granted. */
const SETTLE_MS = 5000;
/** What nobody told is noticed after so long at the latest. */
const CHECK_MS = 30_000;
/** Groups that are read at the same time. */
const READ_AT_ONCE = 32;

/**
 * The groups of people that directories have, on every node: kept in the keyspace, and whole in memory, so that whoever
 * asks who is in which group does not wait. A change is told in two steps: first every node comes to know it, then each
 * node does what follows from it (`onSettled`), which by then no other node contradicts.
 */
export class Groups {
  readonly views: GroupViews;
  readonly #options: GroupsOptions;
  readonly #store: GroupStore;
  readonly #table = new GroupTable();
  readonly #onChange: ((change: GroupChange) => void)[] = [];
  readonly #onSettled: ((change: GroupChange) => Awaitable<void>)[] = [];
  readonly #unsettled = new Set<{ id: string; revision: number; change: GroupChange; timer: NodeJS.Timeout }>();
  /** The last revision of all groups that is known here, and all before it. */
  #revision = 0;
  /** Changes of what is in memory follow one another. */
  #work: Promise<unknown> = Promise.resolve();
  #check: NodeJS.Timeout | undefined;

  constructor(options: GroupsOptions) {
    this.#options = options;
    this.#store = new GroupStore(options.keyspace);
    this.views = new GroupViews(this.#table, options.letsGuestsIn);
    options.peers.on('groups', (text) => this.#inTurn(() => this.#take(readDelta(text))));
    options.peers.on('groups-settled', (text) => {
      const [id, revision] = JSON.parse(text) as [string, number];
      this.#settle(id, revision);
    });
  }

  /** Reads what is kept. From then on it looks every now and then whether it has missed something. */
  async start(): Promise<void> {
    await this.load();
    for (const { id, revision } of this.#unsettled) this.#settle(id, revision);
    this.#check = setInterval(() => {
      void this.check().catch((error) => this.#options.onFault(error));
    }, CHECK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#check);
    for (const { timer } of this.#unsettled) clearTimeout(timer);
  }

  // --- questions --------------------------------------------------------------------------------------------------

  get all(): IterableIterator<Group> {
    return this.#table.all;
  }

  get(id: string): Group | undefined {
    return this.#table.get(id);
  }

  of(account: Jid): readonly Group[] {
    return [...this.#table.of(account)];
  }

  /** `group`: its name, or that of its directory, a slash, and its name; capital letters are as small ones. */
  isMember(account: Jid, group: string): boolean {
    return this.#table.isMember(account, group);
  }

  /** Whether there is a group of this name. */
  isKnown(group: string): boolean {
    return this.#table.named(group).size > 0;
  }

  isMemberOfAny(account: Jid, groups: readonly string[]): boolean {
    return groups.some((group) => this.#table.isMember(account, group));
  }

  /** Called when this node has come to know a change, from wherever it was made. */
  onChange(listener: (change: GroupChange) => void): void {
    this.#onChange.push(listener);
  }

  /** Called on every node when all of them know a change. */
  onSettled(listener: (change: GroupChange) => Awaitable<void>): void {
    this.#onSettled.push(listener);
  }

  // --- changes ----------------------------------------------------------------------------------------------------

  /** Resolves when the change is kept and every node knows it. False where there is no such group and no head. */
  async change(id: string, { head, add = new Map(), remove = [] }: GroupWish): Promise<boolean> {
    const coming = [...add];
    const going = [...remove];
    let wishes = 0;
    do {
      const gone = going.splice(0, MOST_AT_ONCE);
      const come = new Map(coming.splice(0, MOST_AT_ONCE - gone.length));
      const part = { head: wishes++ === 0 ? head : undefined, add: come, remove: gone };
      const { before, after } = await this.#store.change(id, part);
      if (after === 0) return false;
      await this.#tell({ id, before, after, ...part });
    } while (coming.length > 0 || going.length > 0);
    return true;
  }

  /** Takes a group away. Resolves when every node knows it. */
  async remove(id: string): Promise<void> {
    const { before, after } = await this.#store.remove(id);
    if (after > 0) await this.#tell({ id, before, after, head: null, add: new Map(), remove: [] });
  }

  async #tell(delta: GroupDelta): Promise<void> {
    const { peers } = this.#options;
    await Promise.all([this.#inTurn(() => this.#take(delta)), peers.tell('groups', writeDelta(delta))]);
    this.#settle(delta.id, delta.after);
    await peers.tell('groups-settled', JSON.stringify([delta.id, delta.after]));
  }

  /** Reads everything that is not as it is known here. */
  load(): Promise<void> {
    return this.#inTurn(() => this.#load());
  }

  /** Looks whether something was missed. */
  async check(): Promise<void> {
    if ((await this.#store.revision()) !== this.#revision) await this.load();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => {});
    return done;
  }

  async #take(delta: GroupDelta): Promise<void> {
    const known = this.#table.get(delta.id)?.revision ?? 0;
    if (delta.after <= known) return; // it was read meanwhile
    if (delta.before === known) this.#apply(delta);
    else await this.#read(delta.id);
    if (delta.after === this.#revision + 1) this.#revision++;
    else if (delta.after > this.#revision) await this.#load(); // something was missed
  }

  async #load(): Promise<void> {
    const { revision, groups } = await this.#store.heads();
    const others: string[] = [];
    for (const [id, group] of groups) if (this.#table.get(id)?.revision !== group.revision) others.push(id);
    for (const { id } of this.#table.all) if (!groups.has(id)) others.push(id);
    while (others.length > 0) await Promise.all(others.splice(0, READ_AT_ONCE).map((id) => this.#read(id)));
    this.#revision = revision;
  }

  async #read(id: string): Promise<void> {
    const found = await this.#store.find(id);
    const known = this.#table.get(id);
    if (found === undefined) {
      const before = known?.revision ?? 0;
      if (known) this.#apply({ id, before, after: before, head: null, add: new Map(), remove: [] });
      return;
    }
    const { head, members, revision } = found;
    const remove = known === undefined ? [] : [...known.members.keys()].filter((jid) => !members.has(jid));
    const add = new Map([...members].filter(([jid, name]) => !isAlike(known, jid, name)));
    this.#apply({ id, before: known?.revision ?? 0, after: revision, head, add, remove });
  }

  #apply(delta: GroupDelta): void {
    const change = this.#table.apply(delta);
    const waiting = {
      id: delta.id,
      revision: delta.after,
      change,
      timer: setTimeout(() => this.#settle(delta.id, delta.after), this.#options.settleMs ?? SETTLE_MS).unref(),
    };
    this.#unsettled.add(waiting);
    for (const listener of this.#onChange) listener(change);
  }

  #settle(id: string, revision: number): void {
    for (const waiting of this.#unsettled) {
      if (waiting.id !== id || waiting.revision > revision) continue;
      this.#unsettled.delete(waiting);
      clearTimeout(waiting.timer);
      this.#table.settle(id, waiting.revision);
      for (const listener of this.#onSettled) void this.#call(listener, waiting.change);
    }
  }

  async #call(listener: (change: GroupChange) => Awaitable<void>, change: GroupChange): Promise<void> {
    try {
      await listener(change);
    } catch (error) {
      this.#options.onFault(error);
    }
  }
}

function isAlike(group: Group | undefined, jid: string, name: string): boolean {
  const member = group?.members.get(jid);
  return member !== undefined && (member.name ?? '') === name;
}
