import { DETACHED, sessionOf, withSession } from './account-record.ts';
import { ClientSession, NEVER } from './client-session.ts';
import { Connection } from './connection.ts';
import type { Node } from './node.ts';
import { bind } from './operations/bind.ts';
import { becomeAvailable } from './operations/presence.ts';
import { resume } from './operations/resume.ts';
import type { Ownership } from './operations/takeover.ts';
import { OwnedSession } from './owned-session.ts';
import type { AccountPlan } from './scenario.ts';
import type { Schedule } from './schedule.ts';
import type { Change, Stanza } from './stanza.ts';
import type { World } from './world.ts';

/** A client program: it connects, sends, acknowledges, loses its connection, resumes, or begins anew. */
export class Device {
  readonly world: World;
  readonly plan: AccountPlan;
  resource: string;
  session: ClientSession | undefined;
  connection: Connection | undefined;
  /** The node that it waits for. */
  #asked: Node | undefined;
  #attempt = 0;
  #sent = 0;
  #lives = 0;

  constructor(world: World, plan: AccountPlan, resource: string) {
    this.world = world;
    this.plan = plan;
    this.resource = resource;
  }

  get account(): string {
    return this.plan.name;
  }

  /** Whether it is connected, available, and waits for nothing. */
  get content(): boolean {
    const { session, connection } = this;
    if (session === undefined || connection === undefined || !connection.nodeOpen) return false;
    if (connection.up.length > 0 || connection.down.length > 0 || session.unacked.length > 0) return false;
    return session.availableSince !== NEVER;
  }

  offer(schedule: Schedule): void {
    const { connection, session, world } = this;
    if (connection !== undefined && session !== undefined) this.#offerConnected(schedule, connection, session);
    else if (this.#asked === undefined) {
      if (session === undefined) schedule.offer(1, bindSomewhere, this);
      else {
        schedule.offer(1, resumeSomewhere, this);
        if (world.scenario.sessionsEnd && !world.healing) schedule.offer(0.2, giveUp, this);
      }
    } else if (!this.#asked.alive || world.random.chance(0.02)) schedule.offer(0.5, stopWaiting, this);
  }

  #offerConnected(schedule: Schedule, connection: Connection, session: ClientSession): void {
    const { world } = this;
    if (connection.down.length > 0) schedule.offer(4, receive, this);
    if (session.received > session.told) schedule.offer(1, tell, this);
    if (session.unacked.length > 0) schedule.offer(1, ask, this);
    if (!connection.nodeOpen && connection.down.length === 0) schedule.offer(2, disconnect, this);
    const setting = session.unacked.some(({ kind }) => kind === 'presence');
    if (!session.wantsAvailable && !setting) schedule.offer(world.healing ? 5 : 1.5, setPresence, this, true);
    if (world.healing) return;
    if (this.#sent < world.scenario.messages) schedule.offer(3, write, this);
    schedule.offer(0.25, disconnect, this);
    if (!world.scenario.sessionsEnd) return;
    schedule.offer(0.1, closeStream, this);
    if (session.wantsAvailable && !setting) schedule.offer(0.1, setPresence, this, false);
    if (world.scenario.changes) schedule.offer(0.3, change, this);
  }

  send(stanza: Stanza): void {
    const { connection, session, world } = this;
    if (connection === undefined || session === undefined) return;
    session.unacked.push(stanza);
    world.ledger.sent(session, stanza);
    connection.up.push(stanza);
    world.trace?.(`${session.sid} sends ${stanza.kind} ${stanza.k}`);
  }

  write(): void {
    const { session, world } = this;
    if (session === undefined) return;
    const k = ++session.k;
    if (world.random.chance(0.25)) {
      this.send({ kind: 'counted', k });
      return;
    }
    this.#sent++;
    const to = world.random.pick(this.plan.peers);
    const full = world.scenario.sessionsEnd && world.random.chance(0.5);
    const resource = full ? world.random.pick(world.devicesOf(to)).resource : undefined;
    this.send({ kind: 'message', from: this.account, stream: session.sid, k, to, resource });
  }

  change(): void {
    const { session } = this;
    if (session === undefined) return;
    const wanted = this.#nextChange(session);
    if (wanted !== undefined) this.send({ kind: 'request', k: ++session.k, change: wanted });
  }

  #nextChange(session: ClientSession): Change | undefined {
    const { random, ledger } = this.world;
    const draw = random.below(4);
    if (draw === 0) return { what: 'roster' };
    if (draw === 1) return session.carbonsSince === NEVER ? { what: 'carbons' } : undefined;
    const whom = random.pick(this.plan.peers);
    const { blocked, changing } = ledger.opinion(this.account, whom);
    if (whom === this.account || changing !== undefined) return undefined;
    return { what: blocked ? 'unblock' : 'block', whom };
  }

  setPresence(available: boolean): void {
    const { session } = this;
    if (session === undefined) return;
    session.wantsAvailable = available;
    if (!available) session.availableSince = NEVER;
    this.send({ kind: 'presence', k: ++session.k, available });
  }

  receive(): void {
    const { connection, session, world } = this;
    const down = connection?.down.shift();
    if (down === undefined || session === undefined) return;
    if (down.kind === 'acknowledged') this.#acknowledged(session, down.h);
    else {
      session.received++;
      world.ledger.received(session, down);
    }
  }

  #acknowledged(session: ClientSession, h: number): void {
    session.h = Math.max(session.h, h);
    while (session.unacked[0] !== undefined && session.unacked[0].k <= h) {
      this.world.ledger.acked(session, session.unacked.shift() as Stanza);
    }
  }

  tell(): void {
    const { connection, session } = this;
    if (session === undefined) return;
    session.told = session.received;
    connection?.up.push({ kind: 'ack', h: session.received });
  }

  disconnect(): void {
    if (this.connection === undefined) return;
    this.world.trace?.(`${this.session?.sid} loses its connection`);
    this.connection.clientOpen = false;
    this.connection.down = [];
    this.connection = undefined;
  }

  closeStream(): void {
    this.connection?.up.push({ kind: 'close' });
    this.disconnect();
    this.#end();
  }

  /** Begins anew with its next connection, sometimes under another resource; what its session had is left to itself. */
  giveUp(): void {
    this.#end();
    if (this.world.random.chance(0.4)) this.resource = `${this.resource.split('.')[0]}.${++this.#lives}`;
  }

  #end(): void {
    if (this.session !== undefined) this.session.ended = true;
    this.world.trace?.(`${this.session?.sid} is given up by its client`);
    this.session = undefined;
  }

  stopWaiting(): void {
    this.#attempt++;
    this.#asked = undefined;
  }

  #ask(): { node: Node; attempt: number } | undefined {
    const nodes = this.world.liveNodes.filter(({ paused }) => !paused);
    if (nodes.length === 0) return undefined;
    const node = this.world.random.pick(nodes);
    this.#asked = node;
    return { node, attempt: ++this.#attempt };
  }

  bindSomewhere(): void {
    const asked = this.#ask();
    if (asked === undefined) return;
    const { node, attempt } = asked;
    const { account, resource, world } = this;
    const sid = world.newSid(this);
    const shard = world.shardOf(account);
    node.arriving.set(sid, shard);
    world.trace?.(`${sid} is to be bound to ${account}/${resource} at ${node.incarnation}`);
    node.command(shard, bind, { account, resource, sid, owner: node.newOwner() }, (reply) => {
      node.arriving.delete(sid);
      const current = this.#attempt === attempt;
      if (current) this.#asked = undefined;
      if (reply === 'wait') return;
      const connection = this.#attach(node, reply, 0, current);
      if (!current) return;
      this.connection = connection;
      this.session = new ClientSession(sid, account, resource, world.now);
      world.ledger.bound(this.session);
    });
  }

  #attach(node: Node, ownership: Ownership, h: number, current: boolean): Connection {
    const connection = new Connection(this, node);
    connection.clientOpen = current;
    this.world.connections.push(connection);
    node.own(new OwnedSession(node, this.account, connection, ownership, h));
    return connection;
  }

  resumeSomewhere(): void {
    const { session, world, account } = this;
    const asked = session && this.#ask();
    if (session === undefined || asked === undefined) return;
    const { node, attempt } = asked;
    const { sid } = session;
    const h = session.received;
    const shard = world.shardOf(account);
    node.arriving.set(sid, shard);
    world.trace?.(`${sid} resumes at ${node.incarnation} with h ${h}`);
    node.command(shard, resume, { account, sid, owner: node.newOwner() }, (reply) => {
      node.arriving.delete(sid);
      const current = this.#attempt === attempt;
      if (current) this.#asked = undefined;
      if (reply === 'wait') return;
      if ('handled' in reply) {
        if (current) this.#notResumed(session, reply.handled);
        return;
      }
      const connection = this.#attach(node, reply, h, current);
      if (current) this.#resumed(session, connection, reply.journal.header.handled);
    });
  }

  #resumed(session: ClientSession, connection: Connection, handled: number): void {
    this.connection = connection;
    this.world.ledger.resumed(session, handled);
    this.#acknowledged(session, handled);
    this.tell();
    for (const stanza of session.unacked) connection.up.push(stanza);
  }

  #notResumed(session: ClientSession, handled: number | undefined): void {
    if (handled !== undefined) {
      this.world.ledger.resumed(session, handled);
      this.#acknowledged(session, handled);
    }
    this.#end();
  }

  /** Begins the run with a session that is available. */
  begin(node: Node): void {
    const { account, resource, world } = this;
    const sid = world.newSid(this);
    const shard = world.shardOf(account);
    bind(shard, { account, resource, sid, owner: { node: DETACHED, handle: 0 } });
    becomeAvailable(shard, { account, sid, epoch: 1 });
    const record = withSession(shard.record(account), sid, { node: node.incarnation });
    shard.keys.records.set(account, record);
    const session = sessionOf(record, sid);
    const journal = session && shard.journal(session);
    if (session === undefined || journal === undefined) return;
    this.connection = this.#attach(node, { session, journal, record }, 0, true);
    this.session = new ClientSession(sid, account, resource, world.now);
    this.session.wantsAvailable = true;
    this.session.availableSince = world.now;
    world.ledger.bound(this.session);
  }
}

const write = (device: Device) => device.write();
const change = (device: Device) => device.change();
const setPresence = (device: Device, available: boolean) => device.setPresence(available);
const receive = (device: Device) => device.receive();
const tell = (device: Device) => device.tell();
const ask = (device: Device) => device.connection?.up.push({ kind: 'ask' });
const disconnect = (device: Device) => device.disconnect();
const closeStream = (device: Device) => device.closeStream();
const giveUp = (device: Device) => device.giveUp();
const stopWaiting = (device: Device) => device.stopWaiting();
const bindSomewhere = (device: Device) => device.bindSomewhere();
const resumeSomewhere = (device: Device) => device.resumeSomewhere();
