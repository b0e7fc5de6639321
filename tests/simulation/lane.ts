import type { AccountRecord, SessionRecord } from './account-record.ts';
import { type Consignment, type Outcome, type Plan, plan } from './consignment.ts';
import type { StanzaEntry } from './journal.ts';
import type { Node } from './node.ts';
import { append } from './operations/append.ts';
import { lookup } from './operations/lookup.ts';
import { type RecommitReply, recommit } from './operations/recommit.ts';
import { type RouteReply, refuseAgain, route } from './operations/route.ts';
import type { Origin } from './origins.ts';
import type { Shard } from './shard.ts';

/** Does once more what a failover may have undone. */
export type Again = (replied: (reply: RecommitReply) => void) => void;

interface Item {
  readonly turn: number;
  /** Undefined for what is only remembered to be done again. */
  readonly consignment: Consignment | undefined;
  sent: boolean;
  settled: boolean;
  replay: boolean;
  /** Known from when it is sent, and forgotten if it turns out that nothing was done. */
  again: Again | undefined;
  /** Whether a failover may have left nothing of it. */
  lost: boolean;
  /** Its origin, once it was refused. */
  refused: Origin | undefined;
}

/** How many commits a node remembers, to do them once more after a failover. */
const RING = 24;

/** All that a node commits to one account, in order, by a copy of the account's record. */
export class Lane {
  readonly #node: Node;
  readonly #account: string;
  #record: AccountRecord | undefined;
  #lookingUp = false;
  #turns = 0;
  #queue: Item[] = [];
  #flying: Item[] = [];
  /** Whether what is in flight was sent by plain commands. */
  #plain = false;
  #failed: Item[] = [];
  #ring: Item[] = [];

  constructor(node: Node, account: string) {
    this.#node = node;
    this.#account = account;
  }

  get shard(): Shard {
    return this.#node.world.shardOf(this.#account);
  }

  get idle(): boolean {
    return this.#queue.length + this.#flying.length + this.#failed.length === 0;
  }

  push(consignment: Consignment): void {
    this.#queue.push(this.#item(consignment, undefined));
    this.pump();
  }

  /** The account has changed: older copies of its record are of no use, even for what is then not sent at all. */
  forgetBefore(version: number): void {
    if (this.#record !== undefined && this.#record.version < version) this.#record = undefined;
  }

  /** Something was committed to the account by another way. */
  remember(again: Again): void {
    this.#keep(this.#item(undefined, again));
  }

  #item(consignment: Consignment | undefined, again: Again | undefined): Item {
    return {
      turn: this.#turns++,
      consignment,
      sent: false,
      settled: false,
      replay: false,
      again,
      lost: false,
      refused: undefined,
    };
  }

  #keep(item: Item): void {
    if (this.#ring.push(item) > RING) this.#ring.shift();
  }

  pump(): void {
    const { rules } = this.#node.world;
    const { settling } = this.shard;
    if (this.#lookingUp || this.#queue.length === 0) return;
    if (rules.reassertsFirst && settling.reasserting > 0) return;
    if (this.#record === undefined) {
      // What is in flight may still fail, and then goes first.
      if (this.#flying.length === 0) this.#lookUp();
      return;
    }
    while (this.#record !== undefined) {
      const item = this.#queue[0];
      if (item === undefined || (rules.replaysFirst && !settling.over && !item.replay)) return;
      // One after the other: what fails would be overtaken by what comes behind it.
      if (item.replay && this.#flying.length > 0) return;
      if (!this.#send(item, this.#record)) return;
    }
    this.pump();
  }

  #lookUp(): void {
    this.#lookingUp = true;
    this.#node.command(this.shard, lookup, { account: this.#account }, (record) => {
      this.#lookingUp = false;
      this.#record = record;
      this.pump();
    });
  }

  /** @returns false where it must wait for what is in flight */
  #send(item: Item, record: AccountRecord): boolean {
    const { consignment, again } = item;
    if (item.replay && again !== undefined) {
      this.#fly(item, false);
      again((reply) => {
        if (reply === 'unknown') {
          item.again = undefined;
          item.lost = true;
        }
        this.#replied(item, record, reply);
      });
      return true;
    }
    return consignment === undefined || this.#commit(item, consignment, record);
  }

  #fly(item: Item, plain: boolean): void {
    this.#queue.shift();
    item.sent = true;
    this.#flying.push(item);
    this.#plain = plain;
  }

  #commit(item: Item, consignment: Consignment, record: AccountRecord): boolean {
    const { world } = this.#node;
    const planned = plan(consignment, record, world.newEid(), { putBack: item.replay, moved: item.lost });
    const { refuse, stanza, carbon, targets } = planned;
    const single = (record.sessions.length === 1 && !record.refusals) || !world.rules.plainToSingleSession;
    const plain = world.scenario.plain && targets.length > 0 && single;
    if (world.rules.oneWayAtATime && this.#flying.length > 0 && plain !== this.#plain) return false;
    const entry = stanza ?? carbon;
    if (entry === undefined) {
      this.#queue.shift();
      this.#settle(item, 'committed');
      return true;
    }
    this.#fly(item, plain);
    if (!refuse) item.again = (replied) => this.#recommit(planned, false, replied);
    const replied = (reply: RouteReply | 'gone') => {
      item.again = reply === 'committed' ? (done) => this.#recommit(planned, true, done) : undefined;
      if (reply === 'refused') item.refused = entry.origin;
      this.#replied(item, record, reply);
    };
    const deliveries = deliveriesOf(planned);
    if (plain) this.#node.command(this.shard, append, { deliveries }, replied);
    else {
      const request = { account: this.#account, version: record.version, deliveries, entry, refuse };
      this.#node.command(this.shard, route, request, replied);
    }
    return true;
  }

  #recommit(planned: Plan, certain: boolean, replied: (reply: RecommitReply) => void): void {
    const { stanza, carbon } = planned;
    const holders = planned.targets.map(({ sid }) => sid);
    const carbonHolders = planned.carbonTargets.map(({ sid }) => sid);
    const { addressed } = planned;
    const request = { account: this.#account, stanza, holders, addressed, carbon, carbonHolders, certain };
    this.#node.command(this.shard, recommit, request, replied);
  }

  #replied(item: Item, record: AccountRecord, reply: RouteReply | 'gone' | 'unknown'): void {
    this.#flying.splice(this.#flying.indexOf(item), 1);
    if (reply === 'committed' || reply === 'refused') this.#settle(item, reply);
    else {
      this.#failed.push(item);
      if (this.#record === record) this.#record = undefined;
    }
    if (this.#flying.length === 0 && this.#failed.length > 0) {
      const { retryInOrder } = this.#node.world.rules;
      this.#queue = retryInOrder ? [...this.#failed, ...this.#queue] : [...this.#queue, ...this.#failed];
      this.#failed = [];
      if (typeof reply === 'object') this.#record = reply.stale;
    }
    this.pump();
  }

  #settle(item: Item, outcome: Outcome): void {
    if (item.replay) {
      item.replay = false;
      this.#node.replayed(this.shard);
    }
    if (item.again !== undefined || item.refused !== undefined) this.#keep(item);
    if (item.settled) return;
    item.settled = true;
    item.lost = false;
    item.consignment?.done(outcome);
  }

  #unanswered(): Item[] {
    const items = [...this.#flying, ...this.#failed, ...this.#queue].sort((a, b) => a.turn - b.turn);
    this.#flying = [];
    this.#failed = [];
    this.#record = undefined;
    this.#lookingUp = false;
    return items;
  }

  /** The link was lost: what became of all that was in flight is not known. */
  linkLost(): void {
    const unknown = new Set(this.#flying);
    this.#queue = this.#unanswered();
    if (!this.#node.world.rules.unknownIsSentAgain) {
      this.#queue = this.#queue.filter((item) => !unknown.has(item));
      for (const item of unknown) this.#settle(item, 'refused');
    }
    this.pump();
  }

  /** The store has failed over: what was committed lately, or perhaps was, is sent once more before anything else. */
  failedOver(): void {
    const items = this.#unanswered();
    const ring = this.#node.world.rules.replayAfterFailover ? this.#ring : [];
    this.#ring = ring.filter(({ refused }) => refused !== undefined);
    for (const { refused } of this.#ring) if (refused !== undefined) this.#refuseAgain(refused);
    const commits = ring.filter(({ refused }) => refused === undefined);
    const again = [...commits, ...items.filter(({ sent }) => sent)].sort((a, b) => a.turn - b.turn);
    for (const item of again) item.replay = true;
    this.shard.settling.replaying += again.length;
    this.#queue = [...again, ...items.filter(({ sent }) => !sent)];
    this.pump();
  }

  /** Before anything else is decided anew. */
  #refuseAgain(origin: Origin): void {
    this.shard.settling.reasserting++;
    this.#node.command(this.shard, refuseAgain, { account: this.#account, origin }, () =>
      this.#node.reasserted(this.shard),
    );
  }
}

function deliveriesOf({
  stanza,
  targets,
  carbon,
  carbonTargets,
}: Plan): { session: SessionRecord; entry: StanzaEntry }[] {
  const deliver = (entry: StanzaEntry | undefined, sessions: readonly SessionRecord[]) =>
    entry === undefined ? [] : sessions.map((session) => ({ session, entry }));
  return [...deliver(stanza, targets), ...deliver(carbon, carbonTargets)];
}
