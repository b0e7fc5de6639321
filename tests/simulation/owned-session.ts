import { type AccountRecord, DETACHED, type SessionRecord } from './account-record.ts';
import type { Connection } from './connection.ts';
import { Inbound } from './inbound.ts';
import { describeEntry, describeJournal, type Entry, type Header, isNote } from './journal.ts';
import { Mirror, type MirrorEntry } from './mirror.ts';
import type { Node } from './node.ts';
import { checkpoint } from './operations/checkpoint.ts';
import { type ReassertRequest, reassert } from './operations/reassert.ts';
import { reclaim, reread } from './operations/reclaim.ts';
import type { Owner, Ownership } from './operations/takeover.ts';
import { OwnOperations } from './own-operations.ts';
import type { Shard } from './shard.ts';

/** A session at the node that owns it. */
export class OwnedSession {
  readonly node: Node;
  readonly account: string;
  readonly connection: Connection;
  readonly mirror: Mirror;
  readonly inbound: Inbound;
  readonly operations: OwnOperations;
  #record: SessionRecord;
  /** The session was written again after a failover, and others are still at it. */
  #settling = false;
  /** Whether another session of the account wants carbon copies. */
  siblingWantsCarbons = false;
  /** Stanzas sent to the client, of every class. */
  sent: number;
  /** Entries that wait for the checkpoint which assigns them a number. */
  ready: MirrorEntry[];
  /** Stanzas of class N that wait to be sent. */
  counted = 0;
  /** Nothing may be sent. */
  gate: boolean;
  checkpointing = false;
  /** The journal is being read anew; pushes are of no use until it has been. */
  resyncing = false;
  /** No longer this node's. */
  closed = false;
  fast: Header['fast'];
  wanted: 'fast' | 'slow' | undefined;
  /** The client has not been heard of since the takeover: perhaps it went elsewhere long ago, and has had more since. */
  silent: boolean;
  dirty = true;
  ackWanted = false;
  acknowledged: number;

  /** @param h how many stanzas the client has received */
  constructor(node: Node, account: string, connection: Connection, { session, journal, record }: Ownership, h: number) {
    const { rules } = node.world;
    this.node = node;
    this.account = account;
    this.connection = connection;
    this.#record = session;
    this.mirror = new Mirror(journal, h, rules);
    this.inbound = new Inbound(journal.header.handled, rules);
    this.operations = new OwnOperations(this);
    this.sent = h;
    this.ready = this.mirror.unassigned();
    this.gate = session.epoch > 1 && rules.checkpointBeforeFirstSend;
    this.silent = session.epoch > 1 && rules.clientFirst;
    this.acknowledged = journal.header.handled;
    this.#see(record);
    connection.session = this;
    node.world.trace?.(`${this.sid} is ${node.incarnation}'s, h ${h}: ${describeJournal(journal)}`);
  }

  get sid(): string {
    return this.#record.sid;
  }

  get epoch(): number {
    return this.#record.epoch;
  }

  get owner(): Owner {
    return { node: this.node.incarnation, handle: this.#record.handle };
  }

  get shard(): Shard {
    return this.node.world.shardOf(this.account);
  }

  get idle(): boolean {
    return this.ready.length === 0 && this.counted === 0 && this.operations.idle && !this.resyncing;
  }

  #see(record: AccountRecord): void {
    this.siblingWantsCarbons = record.sessions.some(({ sid, carbons }) => carbons && sid !== this.sid);
    this.node.lane(this.account).forgetBefore(record.version);
  }

  // Outbound

  /** An entry was pushed. */
  accept(entry: Entry): void {
    const mirrored = this.mirror.accept(entry);
    if (mirrored === undefined) {
      this.dirty = true;
      return;
    }
    const mayFollow = this.fast !== undefined && !this.gate && this.ready.length === 0 && this.wanted === undefined;
    if (mayFollow) this.#write(mirrored);
    else this.ready.push(mirrored);
  }

  #write(mirrored: MirrorEntry): void {
    mirrored.number = ++this.sent;
    this.node.world.trace?.(
      `${this.sid} at ${this.node.incarnation} writes ${describeEntry(mirrored.entry)} as ${this.sent}`,
    );
    const { entry } = mirrored;
    if (isNote(entry)) return;
    this.connection.down.push({ ...entry.content, moved: entry.moved, displaced: entry.displaced });
  }

  /** Writes what waits and is not in the journal. */
  flush(): void {
    while (this.counted > 0 && !this.gate && !this.silent) {
      if (this.fast !== undefined && this.node.world.rules.leaveFastModeFirst) {
        this.wanted = 'slow';
        return;
      }
      this.counted--;
      this.sent++;
      this.connection.down.push({ kind: 'counted' });
    }
  }

  /** Writes the header: what was handled, what may be trimmed, and which numbers the waiting entries get. Then sends. */
  checkpoint(): void {
    const { inbound, mirror } = this;
    const { handled } = inbound;
    if (this.checkpointing || this.resyncing || this.closed || this.silent) return;
    if (!this.dirty && this.ready.length === 0 && handled === inbound.persisted && this.wanted === undefined) return;
    const batch = this.ready.splice(0);
    const planned = batch.map(({ index }, at) => [index, this.sent + at + 1] as const);
    const toFast = this.wanted === undefined ? this.fast !== undefined : this.wanted === 'fast';
    const fast = toFast ? { index: mirror.last, number: this.sent + batch.length } : undefined;
    const { header, trimmed } = mirror.checkpoint(planned, fast, handled);
    const { sid, epoch } = this;
    this.checkpointing = true;
    this.gate = true;
    this.dirty = false;
    this.node.command(this.shard, checkpoint, { sid, epoch, header, trimmed }, (reply) => {
      if (this.closed || this.resyncing) return;
      this.checkpointing = false;
      if (reply === 'fenced') {
        this.ready.unshift(...batch);
        this.reclaim();
        return;
      }
      this.gate = false;
      mirror.written(header, trimmed);
      inbound.persist(handled);
      this.fast = fast;
      this.wanted = undefined;
      for (const mirrored of batch) this.#write(mirrored);
      this.flush();
    });
  }

  /** Tells the client how much was handled. */
  acknowledge(): void {
    this.ackWanted = false;
    this.acknowledged = this.acknowledgeable;
    this.connection.down.push({ kind: 'acknowledged', h: this.acknowledged });
  }

  get acknowledgeable(): number {
    return this.node.world.rules.persistBeforeAck ? this.inbound.persisted : this.inbound.handled;
  }

  // Ownership

  #suspend(): void {
    this.resyncing = true;
    this.checkpointing = false;
    this.gate = true;
  }

  /** Takes the session back under a new epoch, and reads the journal anew. */
  reclaim(): void {
    if (this.resyncing || this.closed) return;
    this.#suspend();
    const { account, sid, epoch, node, shard, owner } = this;
    const done = (reply: Ownership | 'fenced') => this.#resynced(reply);
    if (node.world.rules.renameOnLinkLoss) {
      node.command(shard, reclaim, { account, sid, owner }, done);
    } else node.command(shard, reread, { account, sid, epoch }, done);
  }

  /** The link was lost: whatever it had in flight has no reply. */
  linkLost(): void {
    this.resyncing = false;
    this.checkpointing = false;
    this.operations.sendAgain();
    if (this.node.world.rules.resyncOnLinkLoss) this.reclaim();
    else this.gate = false;
  }

  /** The store has failed over: writes the session as it is remembered. */
  reassert(): void {
    const { account, mirror, node, shard } = this;
    this.#suspend();
    this.operations.sendAgain();
    shard.settling.reasserting++;
    const done = (reply: Ownership | 'fenced') => {
      this.#settling = reply !== 'fenced';
      if (reply === 'fenced') this.#resynced(reply);
      node.reasserted(shard);
    };
    if (!node.world.rules.reassertAfterFailover) {
      node.command(shard, reclaim, { account, sid: this.sid, owner: this.owner }, done);
      return;
    }
    const { header } = this.final;
    node.command(shard, reassert, { account, session: this.#record, header, entries: mirror.entries }, done);
  }

  /** Everything was put back: the journal is read as it is now. */
  settled(): void {
    if (!this.#settling || this.closed) return;
    this.#settling = false;
    this.resyncing = false;
    this.reclaim();
  }

  #resynced(reply: Ownership | 'fenced'): void {
    if (this.closed) return;
    if (reply === 'fenced') {
      this.close();
      return;
    }
    const { rules } = this.node.world;
    this.resyncing = false;
    this.#record = reply.session;
    this.mirror.merge(reply.journal);
    this.inbound.persist(reply.journal.header.handled);
    this.ready = this.mirror.unassigned();
    this.gate = rules.checkpointBeforeFirstSend;
    this.fast = undefined;
    this.wanted = undefined;
    this.dirty = true;
    this.#see(reply.record);
    this.node.unstash(this);
    if (this.siblingWantsCarbons && rules.carbonsDecidedAgain) this.node.decideCarbonsAgain(this);
    this.operations.sendAgain();
    this.operations.pump();
  }

  /** What its presence was set to. */
  becameAvailable(available: boolean): void {
    this.#record = { ...this.#record, available };
  }

  /** The header and epoch for whoever owns it next. */
  get final(): { header: Header; epoch: number; acked: number } {
    const { mirror, inbound, epoch, silent } = this;
    return { header: silent ? mirror.header : mirror.finalHeader(inbound.handled), epoch, acked: mirror.acked };
  }

  /** What must be written again if a failover undoes that it was given up. */
  asGivenUp(): ReassertRequest {
    const session = { ...this.#record, node: DETACHED };
    return { account: this.account, session, header: this.final.header, entries: this.mirror.entries };
  }

  close(): void {
    this.closed = true;
    this.connection.nodeOpen = false;
    this.operations.drop();
    this.node.giveUp(this);
  }
}
