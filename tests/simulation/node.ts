import { DETACHED, type SessionRecord } from './account-record.ts';
import type { Connection } from './connection.ts';
import type { InboundStanza } from './inbound.ts';
import type { StanzaEntry } from './journal.ts';
import { Lane } from './lane.ts';
import { Link, type Operation } from './link.ts';
import { answer, answerAgain, change, changeAgain } from './operations/change.ts';
import { detachLost, detachUnowned, handOver } from './operations/detach.ts';
import { expire, unbind } from './operations/end.ts';
import { exchange } from './operations/exchange.ts';
import { lookup } from './operations/lookup.ts';
import { becomeAvailable, becomeUnavailable, takeOffline } from './operations/presence.ts';
import { type ReassertRequest, reassert } from './operations/reassert.ts';
import type { Owner } from './operations/takeover.ts';
import { EFFECT, type Effect, type Origin } from './origins.ts';
import type { OwnedSession } from './owned-session.ts';
import type { Push, Shard } from './shard.ts';
import type { Content, Message, Presence, Request } from './stanza.ts';
import { Stash } from './stash.ts';
import type { World } from './world.ts';

/** How many sessions that it gave up a node remembers. */
const GIVEN_UP = 8;

/** One life of a node's process. */
export class Node {
  readonly world: World;
  readonly name: string;
  readonly incarnation: string;
  readonly sessions = new Map<string, OwnedSession>();
  readonly lanes = new Map<string, Lane>();
  /** Sessions that were asked for and whose reply has not come. */
  readonly arriving = new Map<string, Shard>();
  readonly #links = new Map<Shard, Link>();
  readonly #stashes = new Map<Shard, Stash>();
  readonly #notices = new Set<number>();
  readonly #givenUp: ReassertRequest[] = [];
  #lastNotice = 0;
  #handles = 0;
  alive = true;
  paused = false;

  constructor(world: World, name: string, incarnation: string) {
    this.world = world;
    this.name = name;
    this.incarnation = incarnation;
    for (const shard of world.shards) this.connect(shard);
  }

  newOwner(): Owner {
    return { node: this.incarnation, handle: ++this.#handles };
  }

  get links(): readonly Link[] {
    return [...this.#links.values()];
  }

  connect(shard: Shard): void {
    const link = new Link(this, shard, this.world.scenario.twoQueues);
    this.#links.set(shard, link);
    // What came by the link before is void: every session is read anew.
    this.#stashes.set(shard, new Stash());
    this.world.links.push(link);
    shard.subscribe(link);
  }

  command<Request, Reply>(
    shard: Shard,
    operation: Operation<Request, Reply>,
    request: Request,
    done: (reply: Reply) => void,
  ): void {
    this.#links.get(shard)?.send(operation, request, done);
  }

  lane(account: string): Lane {
    let lane = this.lanes.get(account);
    if (lane === undefined) {
      lane = new Lane(this, account);
      this.lanes.set(account, lane);
    }
    return lane;
  }

  // What comes from the shards

  take(shard: Shard, arrived: Push | (() => void) | undefined): void {
    if (typeof arrived === 'function') arrived();
    else if (arrived !== undefined) this.#pushed(shard, arrived);
  }

  #pushed(shard: Shard, push: Push): void {
    const { rules, scenario } = this.world;
    const session = this.sessions.get(push.sid);
    if (push.kind !== 'entry') {
      if (session === undefined || session.epoch >= push.epoch) return;
      if (push.kind === 'evict') session.close();
      else session.reclaim();
      return;
    }
    if (!rules.breakLinkOnLostPush && !this.world.healing && this.world.random.chance(0.05)) return;
    const early = session === undefined || session.resyncing || push.epoch > session.epoch;
    if (early && scenario.twoQueues && rules.stashEarlyPushes) this.#stashes.get(shard)?.put(push);
    else if (session?.epoch === push.epoch && !session.resyncing) session.accept(push.entry);
    // A command of a link that was lost has taken the session over for this very node.
    if (session !== undefined && push.epoch > session.epoch && rules.reclaimWhenBehind) session.reclaim();
  }

  unstash(session: OwnedSession): void {
    for (const entry of this.#stashes.get(session.shard)?.take(session.sid, session.epoch) ?? []) session.accept(entry);
  }

  // What comes from clients

  own(session: OwnedSession): void {
    const previous = this.sessions.get(session.sid);
    this.sessions.set(session.sid, session);
    previous?.close();
    this.sessions.set(session.sid, session);
    this.unstash(session);
  }

  /** A session is no longer this node's; it is remembered in case that a failover undoes what took it away. */
  giveUp(session: OwnedSession): void {
    if (this.#givenUp.push(session.asGivenUp()) > GIVEN_UP) this.#givenUp.shift();
    if (this.sessions.get(session.sid) === session) this.sessions.delete(session.sid);
  }

  read(connection: Connection): void {
    const { session } = connection;
    const stanza = connection.up.shift();
    if (session === undefined || session.closed || stanza === undefined) return;
    session.silent = false;
    if (stanza.kind === 'ack') {
      session.mirror.acknowledge(stanza.h);
      session.dirty = true;
    } else if (stanza.kind === 'ask') session.ackWanted = true;
    else if (stanza.kind === 'close') this.unbind(session);
    else this.#handle(session, session.inbound.take(stanza));
  }

  #handle(session: OwnedSession, inbound: InboundStanza): void {
    const { stanza, k } = inbound;
    if (stanza.kind === 'counted') return;
    const { rules } = this.world;
    const answered = rules.answeredOnce && session.mirror.origins.has(originIn(session, k)(EFFECT.answer));
    if (stanza.kind === 'message') {
      if (!answered) this.#route(session, inbound, stanza);
      if (session.siblingWantsCarbons) this.#sendCarbon(session, inbound, stanza);
    } else if (stanza.kind === 'presence') this.#setPresence(session, inbound, stanza);
    else if (!answered) this.#change(session, inbound, stanza);
  }

  #route(session: OwnedSession, inbound: InboundStanza, message: Message): void {
    inbound.open++;
    this.lane(message.to).push({
      what: { kind: 'message', message },
      origin: originIn(session, inbound.k),
      done: (outcome) => {
        if (outcome === 'committed') inbound.open--;
        else this.#refuse(session, inbound, message);
      },
    });
  }

  #sendCarbon(session: OwnedSession, inbound: InboundStanza, message: Message): void {
    if (message.to === session.account || inbound.carbonSent) return;
    inbound.open++;
    inbound.carbonSent = true;
    this.lane(session.account).push({
      what: { kind: 'carbon', message },
      origin: originIn(session, inbound.k),
      done: () => {
        inbound.open--;
      },
    });
  }

  /** What was sent before another session's wish for copies was known, and may not have been acknowledged. */
  decideCarbonsAgain(session: OwnedSession): void {
    for (const inbound of session.inbound.unpersisted) {
      if (inbound.stanza.kind === 'message') this.#sendCarbon(session, inbound, inbound.stanza);
    }
  }

  #refuse(session: OwnedSession, inbound: InboundStanza, message: Message): void {
    const { account, sid, shard } = session;
    const origin = originIn(session, inbound.k)(EFFECT.answer);
    const entry = (again: boolean) => this.#entry({ kind: 'answer', to: message }, origin, again);
    const done = () => {
      inbound.open--;
      this.lane(account).remember((replied) =>
        this.command(shard, answerAgain, { account, sid, entry: entry(true) }, replied),
      );
    };
    const send = (epoch: number, reply: (reply: 'done' | 'fenced') => void) =>
      this.command(shard, answer, { account, sid, epoch, entry: entry(false) }, reply);
    if (!session.closed) session.operations.push({ send, done });
    else if (!this.world.rules.answerUnderOwnEpoch) send(0, done);
  }

  #change(session: OwnedSession, inbound: InboundStanza, request: Request): void {
    inbound.open++;
    const { account, sid, shard } = session;
    const origin = originIn(session, inbound.k);
    const wanted = request.change;
    const effect = wanted.what === 'roster' ? EFFECT.rosterPush : EFFECT.blocklistPush;
    const changing = (epoch: number, again: boolean) => ({
      account,
      sid,
      epoch,
      change: wanted,
      push: wanted.what === 'carbons' ? undefined : this.#entry({ kind: 'push', request }, origin(effect), again),
      answer: this.#entry({ kind: 'answer', to: request }, origin(EFFECT.answer), again),
    });
    session.operations.push({
      isAnswered: () => this.world.rules.answeredOnce && session.mirror.origins.has(origin(EFFECT.answer)),
      send: (epoch, reply) => this.command(shard, change, changing(epoch, false), reply),
      done: () => {
        inbound.open--;
        this.lane(account).remember((replied) => this.command(shard, changeAgain, changing(0, true), replied));
      },
    });
  }

  #setPresence(session: OwnedSession, inbound: InboundStanza, { available }: Presence): void {
    inbound.open++;
    const { account, sid, shard } = session;
    const operation = available ? becomeAvailable : becomeUnavailable;
    const done = () => {
      inbound.open--;
      session.becameAvailable(available);
      if (!available || this.world.rules.takeOfflineWithPresence) return;
      session.operations.push({
        send: (epoch, reply) => this.command(shard, takeOffline, { account, sid, epoch }, reply),
        done: () => {},
      });
    };
    session.operations.push({
      send: (epoch, reply) => this.command(shard, operation, { account, sid, epoch }, reply),
      done,
    });
  }

  #entry(content: Content, origin: Origin, again: boolean): StanzaEntry {
    return { eid: this.world.newEid(), origin, content, moved: again, displaced: false, putBack: again, holders: [] };
  }

  /** The node itself has something to say to an account. */
  notify(to: string): void {
    const k = ++this.#lastNotice;
    const message: Message = { kind: 'message', from: 'server', stream: this.incarnation, k, to, resource: undefined };
    this.#notices.add(k);
    const low = Math.min(...this.#notices);
    const origin = (effect: Effect) => ({ stream: this.incarnation, k, effect, low });
    this.world.ledger.noticing(message);
    this.lane(to).push({
      what: { kind: 'message', message },
      origin: this.world.rules.originOfNode ? origin : undefined,
      done: (outcome) => {
        this.#notices.delete(k);
        this.world.ledger.noticed(message, outcome);
      },
    });
  }

  // The end of sessions

  unbind(session: OwnedSession): void {
    const { account, sid, shard } = session;
    const { epoch, acked } = session.final;
    session.close();
    this.command(shard, unbind, { account, sid, epoch, acked }, (left) => this.#routeLeft(account, left));
  }

  handOver(session: OwnedSession): void {
    const { account, sid, shard } = session;
    const { epoch, header } = session.final;
    session.close();
    this.command(shard, handOver, { account, sid, epoch, header }, () => {});
  }

  /** Looks after an account's sessions: those of dead nodes, those whose time is up, those that nobody has. */
  sweep(account: string): void {
    const shard = this.world.shardOf(account);
    this.command(shard, lookup, { account }, ({ sessions }) => {
      if (!shard.settling.over) return;
      for (const session of sessions) {
        const { sid, node } = session;
        if (node === DETACHED) {
          if (!this.world.timeIsUp()) continue;
          this.command(shard, expire, { account, sid }, (left) => this.#routeLeft(account, left));
        } else if (node !== this.incarnation && this.world.leaseIsOver(node)) {
          this.command(shard, detachLost, { account, sid, node }, () => {});
        }
      }
      if (this.world.rules.reconcile) this.#reconcile(shard, account, sessions);
    });
  }

  /** What is recorded as this node's and what it has may differ, after a command whose reply never came, or a pause. */
  #reconcile(shard: Shard, account: string, sessions: readonly SessionRecord[]): void {
    const mine = sessions.filter(({ node }) => node === this.incarnation);
    for (const { sid, epoch, node, handle } of mine) {
      if (this.sessions.get(sid)?.owner.handle === handle || this.arriving.has(sid)) continue;
      this.command(shard, detachUnowned, { account, sid, epoch, node }, () => {});
    }
    for (const session of [...this.sessions.values()]) {
      if (session.account !== account) continue;
      const recorded = mine.find(({ sid, epoch }) => sid === session.sid && epoch === session.epoch);
      if (recorded === undefined) session.reclaim();
    }
  }

  #routeLeft(account: string, left: readonly StanzaEntry[]): void {
    for (const entry of left) {
      this.lane(account).push({ what: { kind: 'moved', entry }, origin: undefined, done: () => {} });
    }
  }

  // Faults

  linkLost(shard: Shard): void {
    this.#links.get(shard)?.lose();
    this.connect(shard);
    this.#arrivalsLost(shard);
    for (const session of [...this.sessions.values()]) if (session.shard === shard) session.linkLost();
    for (const lane of this.lanes.values()) if (lane.shard === shard) lane.linkLost();
  }

  #arrivalsLost(lost: Shard): void {
    for (const [sid, shard] of this.arriving) if (shard === lost) this.arriving.delete(sid);
  }

  failedOver(shard: Shard): void {
    this.paused = false;
    this.connect(shard);
    this.#arrivalsLost(shard);
    for (const session of [...this.sessions.values()]) if (session.shard === shard) session.reassert();
    this.#reassertGivenUp(shard);
    for (const lane of this.lanes.values()) if (lane.shard === shard) lane.failedOver();
  }

  #reassertGivenUp(shard: Shard): void {
    if (!this.world.rules.reassertGivenUp) return;
    for (const request of this.#givenUp) {
      if (this.world.shardOf(request.account) !== shard) continue;
      shard.settling.reasserting++;
      this.command(shard, reassert, request, () => this.reasserted(shard));
    }
  }

  #accountsOf(shard: Shard): readonly string[] {
    return this.world.scenario.accounts.map(({ name }) => name).filter((name) => this.world.shardOf(name) === shard);
  }

  reasserted(shard: Shard): void {
    shard.settling.reasserting--;
    if (shard.settling.reasserting <= 0) this.world.wake(shard);
    this.world.learn(shard);
  }

  replayed(shard: Shard): void {
    shard.settling.replaying--;
    this.world.learn(shard);
  }

  /** All was put back. */
  learn(shard: Shard): void {
    for (const account of this.#accountsOf(shard)) {
      shard.settling.learning++;
      this.command(shard, exchange, { account }, () => {
        shard.settling.learning--;
        if (shard.settling.over) this.world.wake(shard);
      });
    }
  }

  wake(shard: Shard): void {
    if (shard.settling.over)
      for (const session of [...this.sessions.values()]) if (session.shard === shard) session.settled();
    for (const session of this.sessions.values()) if (session.shard === shard) session.operations.pump();
    for (const lane of this.lanes.values()) if (lane.shard === shard) lane.pump();
  }

  kill(): void {
    this.alive = false;
    for (const link of this.links) link.lose();
    for (const session of this.sessions.values()) session.connection.nodeOpen = false;
  }
}

/** The low-water mark is that of now, also for whatever is sent once more later. */
function originIn({ sid, inbound: { low } }: OwnedSession, k: number): (effect: Effect) => Origin {
  return (effect) => ({ stream: sid, k, effect, low });
}
