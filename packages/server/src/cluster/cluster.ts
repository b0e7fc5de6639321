import { setTimeout as pause } from 'node:timers/promises';
import { EVERY_NODE, type LinkEvent } from '@parley/keyspace/bus';
import type { Jid } from '@parley/xmpp/jid';
import { nextAttempt } from '../session/attempts.ts';
import type { OtherNodes } from '../session/other-nodes.ts';
import type { RemoteSession } from '../session/remote-session.ts';
import type { Session } from '../session/session.ts';
import { announced } from './announced-session.ts';
import { Announcements } from './announcements.ts';
import { Channels } from './channels.ts';
import type { ClusterHost, ClusterTraffic } from './cluster-host.ts';
import { ClusterJournal } from './cluster-journal.ts';
import { type Frame, Frames } from './frame.ts';
import { DEAF, Hearing } from './hearing.ts';
import { InboundDeliveries } from './inbound-deliveries.ts';
import { encodeAcknowledged, ITEM } from './items.ts';
import type { Member } from './member.ts';
import { MemberFrames } from './member-frames.ts';
import { Membership } from './membership.ts';
import { Missed } from './missed.ts';
import { Questions } from './questions.ts';
import { Reaping } from './reaping.ts';
import { Reassertion } from './reassertion.ts';
import { ReceivedItems } from './received-items.ts';
import { lookAgain, RemoteDelivery, UNREADABLE } from './remote-delivery.ts';
import { RightfulOwners } from './rightful-owners.ts';
import { SessionLookup } from './session-lookup.ts';
import { SessionMoves } from './session-moves.ts';
import { SessionRegistry } from './session-registry.ts';
import { SessionRequests } from './session-requests.ts';
import { SessionTable } from './session-table.ts';

/** How long a node that starts waits for what the others have to tell. */
const KNOWN_MS = 3000;

/** This node among others: who they are, which sessions they have, and the way of stanzas to those. */
export class Cluster implements OtherNodes {
  readonly journal: ClusterJournal;
  readonly #host: ClusterHost;
  readonly #channels: Channels;
  readonly #announcements: Announcements;
  readonly #delivery: RemoteDelivery;
  readonly #inbound: InboundDeliveries;
  readonly #table: SessionTable;
  readonly #lookup: SessionLookup;
  readonly #registry: SessionRegistry;
  readonly #questions: Questions;
  readonly #requests: SessionRequests;
  readonly #moves: SessionMoves;
  readonly #reassertion: Reassertion;
  readonly #owners: RightfulOwners;
  readonly #reaping: Reaping;
  readonly #hearing: Hearing;
  readonly #received: ReceivedItems;
  readonly #memberFrames: MemberFrames;
  readonly #stops: (() => void)[] = [];
  readonly #frames: Frames;
  #self: Member | undefined;
  #membership: Membership | undefined;
  #joined = false;
  #fenced = false;

  constructor(host: ClusterHost) {
    this.#host = host;
    const { sessions, store, keyspace, bus, id, log } = host;
    this.#memberFrames = new MemberFrames(id, log, host.frames);
    const onDamaged = (from: string, error: Error) => log.error('cluster.damaged', { from, error });
    const onOtherVersion = (from: string, version: number) => this.#memberFrames.onOtherVersion(from, version);
    this.#frames = new Frames(
      { onFrame: (frame) => this.#onFrame(frame), onOtherVersion, onDamaged },
      this.#memberFrames.versions,
    );
    const isAlive = (node: string) => this.isAlive(node);
    const send = (to: string, item: Buffer) => this.#channels.send(to, item);
    this.#channels = new Channels({
      self: id,
      publish: (to, frame) => bus.publish(to, frame),
      receive: (from, item) => this.#received.receive(from, item),
      onAbsent: (to) => this.#membership?.suspect(to),
      onDamaged,
      onReset: (from) => this.#forgetAnswers(from),
    });
    this.#announcements = new Announcements({
      self: id,
      broadcast: (body) => {
        this.#channels.counts.framesOut++;
        const published = bus.publish(EVERY_NODE, Buffer.concat([this.#memberFrames.head, body]));
        void published.then(() => this.#hearing.spoke()).catch(() => {});
      },
      send: (to, item) => this.#channels.send(to, Buffer.concat([ANNOUNCEMENT, item])),
      find: (sid) => {
        const session = sessions.owned({ sessionId: sid });
        return session && announced(session);
      },
      local: () => Iterator.from(sessions.all).map(announced),
      put: (from, session) => this.#table.put(from, session),
      remove: (from, sid) => this.#table.remove(from, sid),
      reset: (from, all) => this.#table.reset(from, all),
      onDamaged,
    });
    this.#hearing = new Hearing({
      lastEcho: () => this.#announcements.lastEcho,
      onDeaf: () => {
        log.error('cluster.deaf', { message: DEAF });
        bus.reconnect('Nothing that is published comes back.');
      },
    });
    this.#table = new SessionTable({
      sessions,
      end: (session) => this.#requests.evict(session.node, session.sessionId),
      onGone: (account) => host.onGoneElsewhere(account),
      onAnnounced: (sid, epoch) => this.#moves.taken(sid, epoch),
      onCame: (session) => this.#registry.came(session),
    });
    this.#lookup = new SessionLookup({
      id,
      store,
      sessions,
      table: this.#table,
      told: (account) => this.told(account),
    });
    const own = (sid: string) => sessions.owned({ sessionId: sid });
    this.#delivery = new RemoteDelivery({
      self: id,
      send,
      isAlive,
      waiting: (node) => this.#channels.waiting(node),
      own,
      ownerOf: async (account, sid) => (await this.#owners.find(account, sid))?.owner,
      again: lookAgain,
      onOver: (sid) => this.#table.over(sid),
      onUnreadable: (error) => log.error('resumption.unreadable', { message: UNREADABLE, error: error as Error }),
    });
    this.#inbound = new InboundDeliveries({ own, send, route: host.route, onLate: host.onLate, tracing: host.tracing });
    this.#registry = new SessionRegistry({
      store,
      sessions,
      confirmed: () => this.confirmed(),
      again: () => nextAttempt(keyspace),
      evict: (owner, sid) => this.#requests.evict(owner, sid),
      onFault: host.onFault,
    });
    this.#questions = new Questions(send);
    const ask = (node: string, item: (id: number) => Buffer) => this.#questions.ask(node, item);
    this.#requests = new SessionRequests({ id, sessions, send, ask });
    this.#reaping = new Reaping(host, async ({ id: gone }) => {
      this.#table.onReaped(gone);
      await this.#membership?.dealtWith(gone);
    });
    this.#moves = new SessionMoves({
      ...host,
      left: (session, to) => this.#table.left(session, to),
      offer: (session, to) => this.#requests.offer(session, to),
    });
    this.#reassertion = new Reassertion({
      ...{ keyspace, log },
      sessions: { [Symbol.iterator]: () => sessions.all[Symbol.iterator]() },
      assert: (session) => this.#registry.assert(session),
      changed: ({ sessionId }) => this.#announcements.changed(sessionId),
      sweep: () => this.#moves.sweep(),
      onFault: host.onFault,
    });
    const parts = { reassertion: this.#reassertion, registry: this.#registry, moves: this.#moves };
    this.#owners = new RightfulOwners({ ...host, ...parts, isAlive, others: () => this.#others() });
    this.#received = new ReceivedItems({
      ...host,
      counts: this.#channels.counts,
      announcements: this.#announcements,
      inbound: this.#inbound,
      delivery: this.#delivery,
      questions: this.#questions,
      requests: this.#requests,
      moves: this.#moves,
    });
    const again = () => nextAttempt(keyspace);
    const missed = new Missed({ sessions, refresh: (account) => this.refresh(account), forward: host.onLate, again });
    this.journal = new ClusterJournal(sessions, this.#delivery, missed);
    host.peers.connect(
      (subject, text) => this.#questions.tellAll(this.#others(), subject, text),
      (node, subject, text) => this.#questions.tell(node, subject, text),
    );
  }

  /** Resolves when this node is one of the cluster and knows what the others have. */
  async join(): Promise<void> {
    const { bus, id, name, version, secretCheck, lease, onFenced, onFault } = this.#host;
    this.#stops.push(bus.onPush((bytes) => bytes.length > 0 && this.#frames.receive(bytes)));
    this.#stops.push(bus.onLink((event) => this.#onLink(event)));
    this.#stops.push(() => this.#reassertion.stop());
    const self = { id, name, version, secretCheck, startedAt: Date.now(), frames: this.#memberFrames.versions };
    this.#self = self;
    this.#membership = await Membership.join({
      keyspace: this.#host.keyspace,
      bus,
      self,
      lease,
      onJoined: (member) => this.#onJoined(member),
      onGone: (member, how) => this.#onGone(member, how),
      // a node that leaves first does what the keyspace may have forgotten that it did
      onReap: (member) => this.#reassertion.restoring(this.#reaping.of(member).catch(onFault)),
      onFenced: () => {
        this.#fenced = true;
        onFenced();
      },
      onFault,
    });
    const beat = setInterval(() => {
      this.#hearing.look();
      this.#announcements.beat();
    }, lease().heartbeatMs).unref();
    this.#stops.push(() => clearInterval(beat));
    void this.#owners.begin();
    await Promise.race([this.#announcements.known(this.#others()), pause(KNOWN_MS, undefined, { ref: false })]);
    // what is left of nodes that nobody remembers
    if (this.#membership.members.size === 0) await this.#host.reap((owner) => !this.isAlive(owner));
    this.#joined = true;
  }

  /** Leaves in order: from now on others take over what is left of this node's sessions. */
  async leave(): Promise<void> {
    const leave = async () => this.#membership?.leave();
    await (this.#joined && !this.#fenced ? this.#reassertion.leave(leave) : leave());
    for (const stop of this.#stops.splice(0)) stop();
    this.#announcements.stop();
    this.#delivery[Symbol.dispose]();
    this.#moves[Symbol.dispose]();
    this.#channels[Symbol.dispose]();
  }

  #others(): string[] {
    return [...(this.#membership?.members.keys() ?? [])];
  }

  /** All nodes, this one first; empty until it is one of them. */
  get members(): readonly Member[] {
    if (this.#self === undefined || this.#membership === undefined) return [];
    return [this.#self, ...this.#membership.members.values()];
  }

  /** Why this node should get no connections, in words. */
  get notReady(): readonly string[] {
    if (this.#fenced) return ['the other nodes have given this one up'];
    if (!this.#joined) return ['it is not one of the cluster yet'];
    return this.#hearing.deaf ? ['it does not hear the other nodes'] : [];
  }

  /** What goes on between this node and the others, for whoever measures it. */
  get traffic(): ClusterTraffic {
    const { counts, waitingBytes } = this.#channels;
    const { size: waiting, sought } = this.#delivery;
    const damaged = counts.damaged + this.#frames.damaged;
    return { ...counts, damaged, waitingBytes, waiting, sought, echoSeconds: this.#hearing.echoSeconds };
  }

  /** Resolves when everything that this node has sent to others was dealt with there. */
  async quiet(): Promise<void> {
    this.#announcements.flush();
    while (this.#delivery.size > 0 || this.#registry.writing > 0) await pause(1);
    // channels keep their order: when this is answered, all that went before it is there
    await this.#questions.tellAll(this.#others(), '', '');
  }

  // --- sessions of this node --------------------------------------------------------------------------------------

  bound(session: Session): void {
    this.#registry.bound(session);
    this.#announcements.changed(session.sessionId);
  }

  /** It came from another node. */
  came(session: Session): void {
    this.#moves.taken(session.sessionId, Number.POSITIVE_INFINITY);
    this.#registry.came(session);
  }

  changed(session: Session): void {
    this.#registry.changed(session);
    this.#delivery.changed(session);
    this.#announcements.changed(session.sessionId);
  }

  /** Resolves when nobody finds the session in the keyspace any more, where that is not its journal's affair. */
  ended(session: Session): Promise<void> {
    this.#announcements.changed(session.sessionId);
    return this.#registry.ended(session);
  }

  moved(session: Session): void {
    this.#delivery.hold(session.sessionId);
    this.#registry.forget(session); // whoever has it announces it
    if (!session.backlog?.resumable) return;
    // until that is heard it is still there for whoever asks, and what the keyspace has of it is right
    this.#table.left(session);
    this.#lookup.follow(session.account);
  }

  // --- OtherNodes -------------------------------------------------------------------------------------------------

  confirmed(): Promise<void> | undefined {
    return this.#membership?.confirmed();
  }

  isAlive(owner: string): boolean {
    return owner === this.#host.id || this.#membership?.isAlive(owner) === true;
  }

  recorded(session: Session): Promise<void> {
    return this.#registry.recorded(session);
  }

  refresh(account: Jid): Promise<void> {
    return this.#lookup.refresh(account);
  }

  hasAcknowledged({ node, sessionId }: RemoteSession, at: number): Promise<boolean> {
    return this.#questions.ask(node, (id) => encodeAcknowledged(id, sessionId, at));
  }

  release(owner: string, sid: string): Promise<boolean> {
    if (owner === this.#host.id) return this.#received.wanted(sid).then(() => true);
    return this.#requests.release(owner, sid);
  }

  get losses(): number {
    return this.#reassertion.losses;
  }

  told(account: Jid, sid?: string): Promise<void> | undefined {
    return this.#owners.told(account, sid);
  }

  isUndisputed(session: Session, epoch: number): Promise<boolean> {
    return this.#owners.isUndisputed(session, epoch);
  }

  /** Whether there is any other node. */
  get alone(): boolean {
    return this.#others().length === 0;
  }

  /**
   * Leaves a session that can be resumed to another node, each time another one; where there is none, to whichever node
   * comes next. Resolves when that has taken it, or this one cannot do more about it.
   */
  handOver(session: Session): Promise<void> {
    return this.#moves.handOver(session, this.#others());
  }

  // --- what comes from others -------------------------------------------------------------------------------------

  #onFrame({ kind, sender, body }: Frame): void {
    this.#channels.counts.framesIn++;
    if (kind === 'channel') this.#channels.onFrame(sender, body);
    else this.#announcements.onBroadcast(sender, body);
  }

  #onLink(event: LinkEvent): void {
    if (event === 'down') this.#hearing.linkDown();
    if (event === 'storeChanged') {
      this.#reassertion.storeChanged();
      this.#reassertion.restoring(this.#moves.storeChanged(), this.#host.onStoreChanged());
    } else if (event === 'up') {
      this.#channels.linkUp();
      this.#announcements.linkUp();
    }
  }

  #onJoined(member: Member): void {
    this.#host.log.info('cluster.joined', { node: member.name, id: member.id });
    this.#channels.open(member.id, this.#memberFrames.joined(member));
    this.#announcements.joined(member.id);
    this.#host.onMemberJoined(member.id);
  }

  #onGone(member: Member, how: 'left' | 'dead'): void {
    this.#host.log.warn('cluster.gone', { node: member.name, id: member.id, how });
    this.#announcements.left(member.id);
    this.#channels.close(member.id);
    this.#memberFrames.gone(member.id);
    this.#forgetAnswers(member.id);
    this.#table.onNodeGone(member.id);
    this.#host.onMemberGone(member.id);
  }

  /** Nothing that was asked of this node will be answered. */
  #forgetAnswers(node: string): void {
    this.#questions.onNodeGone(node);
    this.#delivery.onNodeGone(node);
  }

  /** Another node has taken over what a node that is gone had. */
  onReaped(node: string): void {
    this.#table.onReaped(node);
  }
}

const ANNOUNCEMENT = Buffer.from([ITEM.announcement]);
