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
import { type Frame, Frames, frameHead } from './frame.ts';
import { Handovers } from './handovers.ts';
import { Hearing } from './hearing.ts';
import { InboundDeliveries } from './inbound-deliveries.ts';
import {
  decodeAcknowledged,
  decodeAnswers,
  decodeNotice,
  decodeSession,
  encodeAcknowledged,
  ITEM,
  type SessionItem,
} from './items.ts';
import type { Member } from './member.ts';
import { Membership } from './membership.ts';
import { Questions } from './questions.ts';
import { RemoteDelivery } from './remote-delivery.ts';
import { SessionRegistry } from './session-registry.ts';
import { SessionTable } from './session-table.ts';

/** How long a node that starts waits for what the others have to tell. */
const KNOWN_MS = 3000;
const LOOK_AGAIN_MS = 20;
const LOOK_MOST_MS = 500;
const LOOK_LATER_MS = 10_000;

/** The highest version of frames that this program reads. */
const FRAMES = 1;

/** This node among others: who they are, which sessions they have, and the way of stanzas to those. */
export class Cluster implements OtherNodes {
  readonly journal: ClusterJournal;
  readonly #host: ClusterHost;
  readonly #channels: Channels;
  readonly #announcements: Announcements;
  readonly #delivery: RemoteDelivery;
  readonly #inbound: InboundDeliveries;
  readonly #table: SessionTable;
  readonly #registry: SessionRegistry;
  readonly #questions: Questions;
  readonly #handovers: Handovers;
  readonly #hearing: Hearing;
  readonly #head: Buffer;
  readonly #stops: (() => void)[] = [];
  readonly #frames: Frames;
  readonly #startedAt = performance.now();
  #self: Member | undefined;
  #membership: Membership | undefined;
  #joined = false;
  #fenced = false;
  #reaping: Promise<void> = Promise.resolve();

  constructor(host: ClusterHost) {
    this.#host = host;
    const { sessions, store, keyspace, bus, id, log } = host;
    this.#head = frameHead('announcement', id);
    const onDamaged = (from: string, error: Error) => log.error('cluster.damaged', { from, error });
    this.#frames = new Frames({ onFrame: (frame) => this.#onFrame(frame), onDamaged });
    const send = (to: string, item: Buffer) => this.#channels.send(to, item);
    this.#channels = new Channels({
      self: id,
      publish: (to, frame) => bus.publish(to, frame),
      receive: (from, item) => this.#receive(from, item),
      onAbsent: (to) => this.#membership?.suspect(to),
      onDamaged,
      onReset: (from) => this.#forgetAnswers(from),
    });
    this.#announcements = new Announcements({
      self: id,
      broadcast: (body) => {
        this.#channels.counts.framesOut++;
        const published = bus.publish(EVERY_NODE, Buffer.concat([this.#head, body]));
        published.then(
          () => this.#hearing.spoke(),
          () => {},
        );
      },
      send: (to, item) => this.#channels.send(to, Buffer.concat([ANNOUNCEMENT, item])),
      find: (sid) => {
        const session = sessions.owned({ sessionId: sid });
        return session && announced(session);
      },
      local: () => Iterator.from(sessions).map(announced),
      put: (from, session) => this.#table.put(from, session),
      remove: (from, sid) => this.#table.remove(from, sid),
      reset: (from, all) => this.#table.reset(from, all),
      onDamaged,
    });
    this.#hearing = new Hearing({
      lastEcho: () => this.#announcements.lastEcho,
      onDeaf: () => {
        const message = 'Redis takes what this node tells all others, and brings none of it back: it connects anew.';
        log.error('cluster.deaf', { message });
        bus.reconnect('Nothing that is published comes back.');
      },
    });
    this.#table = new SessionTable({
      sessions,
      end: (session) => this.#handovers.evict(session.node, session.sessionId),
      onGone: (account) => host.onGoneElsewhere(account),
    });
    this.#delivery = new RemoteDelivery({
      self: id,
      send,
      isAlive: (node) => this.isAlive(node),
      own: (sid) => sessions.owned({ sessionId: sid }),
      ownerOf: async (account, sid) => (await store.find(account, sid))?.owner,
      again: (attempts) => pause(Math.min(LOOK_AGAIN_MS * 2 ** attempts, LOOK_MOST_MS)),
      onOver: (sid) => this.#table.over(sid),
    });
    this.#inbound = new InboundDeliveries({
      own: (sid) => sessions.owned({ sessionId: sid }),
      send,
      route: host.route,
      onLate: host.onLate,
    });
    this.#registry = new SessionRegistry({
      store,
      again: () => nextAttempt(keyspace),
      evict: (owner, sid) => this.#handovers.evict(owner, sid),
      onFault: host.onFault,
    });
    this.#questions = new Questions(send);
    this.#handovers = new Handovers({
      ...host,
      ask: (node, item) => this.#questions.ask(node, item),
      send,
      onLeft: (session, node) => this.#table.left(session, node),
    });
    this.journal = new ClusterJournal(sessions, this.#delivery);
    host.peers.connect((subject, text) => this.#questions.tellAll(this.#others(), subject, text));
  }

  /** Resolves when this node is one of the cluster and knows what the others have. */
  async join(): Promise<void> {
    const { bus, id, name, version, lease, onFenced, onFault } = this.#host;
    this.#stops.push(bus.onPush((bytes) => bytes.length > 0 && this.#frames.receive(bytes)));
    this.#stops.push(bus.onLink((event) => this.#onLink(event)));
    const beat = setInterval(() => this.#beat(), lease().heartbeatMs).unref();
    this.#stops.push(() => clearInterval(beat));
    const self = { id, name, version, startedAt: Date.now(), frames: FRAMES };
    this.#self = self;
    this.#membership = await Membership.join({
      keyspace: this.#host.keyspace,
      bus,
      self,
      lease,
      onJoined: (member) => this.#onJoined(member),
      onGone: (member, how) => this.#onGone(member, how),
      onReap: (member) => this.#reap(member),
      onFenced: () => {
        this.#fenced = true;
        onFenced();
      },
      onFault,
    });
    const known = this.#announcements.known(this.#others());
    await Promise.race([known, pause(KNOWN_MS, undefined, { ref: false })]);
    // what is left of nodes that nobody remembers
    if (this.#membership.members.size === 0) await this.#host.reap((owner) => owner !== id);
    this.#joined = true;
  }

  /** Leaves in order: from now on others take over what is left of this node's sessions. */
  async leave(): Promise<void> {
    await this.#membership?.leave();
    for (const stop of this.#stops.splice(0)) stop();
    this.#announcements.stop();
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
    const heardAt = Math.max(this.#announcements.lastEcho, this.#startedAt);
    const echoSeconds = (performance.now() - heardAt) / 1000;
    return { ...counts, damaged, waitingBytes, waiting, sought, echoSeconds };
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

  changed(session: Session): void {
    this.#registry.changed(session);
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
  }

  // --- OtherNodes -------------------------------------------------------------------------------------------------

  isAlive(owner: string): boolean {
    return owner === this.#host.id || this.#membership?.isAlive(owner) === true;
  }

  recorded(session: Session): Promise<void> {
    return this.#registry.recorded(session);
  }

  async refresh(account: Jid): Promise<void> {
    const { store, sessions, id } = this.#host;
    const before = sessions.of(account);
    const recorded = await store.list(account);
    let hearsay = false;
    for (const { record, owner } of recorded) {
      const { sid, resource } = record;
      if (owner === id || sessions.remote(sid)?.node === owner) continue;
      this.#table.recorded(account.withResource(resource), record, owner);
      hearsay = true;
    }
    for (const known of before) {
      if (!recorded.some(({ record }) => record.sid === known.sessionId)) this.#table.over(known.sessionId);
    }
    // it may have been over, and its end announced, before it was shown here
    if (hearsay) setTimeout(() => void this.refresh(account).catch(() => {}), LOOK_LATER_MS).unref();
  }

  hasAcknowledged({ node, sessionId }: RemoteSession, at: number): Promise<boolean> {
    return this.#questions.ask(node, (id) => encodeAcknowledged(id, sessionId, at));
  }

  release(owner: string, sid: string): Promise<boolean> {
    return this.#handovers.request(owner, sid);
  }

  // --- what comes from others -------------------------------------------------------------------------------------

  #onFrame({ kind, sender, body }: Frame): void {
    this.#channels.counts.framesIn++;
    if (kind === 'channel') this.#channels.onFrame(sender, body);
    else this.#announcements.onBroadcast(sender, body);
  }

  #receive(from: string, item: Buffer): void {
    try {
      switch (item[0]) {
        case ITEM.deliver:
          this.#inbound.receive(from, item);
          return;
        case ITEM.answer:
          for (const { id, done } of decodeAnswers(item)) {
            if (!this.#questions.onAnswer(from, id, done)) this.#delivery.onAnswer(from, id, done);
          }
          return;
        case ITEM.notice: {
          const { id, subject, text } = decodeNotice(item);
          const told = this.#host.peers.receive(subject, text).catch(this.#host.onFault);
          void told.then(() => this.#inbound.answer(from, id, true));
          return;
        }
        case ITEM.release:
          this.#release(from, decodeSession(item)).catch(this.#host.onFault);
          return;
        case ITEM.acknowledged: {
          const { id, sid, at } = decodeAcknowledged(item);
          this.#inbound.answer(from, id, this.#host.sessions.owned({ sessionId: sid })?.hasAcknowledged(at) === true);
          return;
        }
        case ITEM.evict:
          this.#handovers.evict(this.#host.id, decodeSession(item).sid);
          return;
        case ITEM.announcement:
          this.#announcements.onItem(from, item.subarray(1));
          return;
        default: // a newer node says something that this one does not know
      }
    } catch (error) {
      this.#channels.counts.damaged++;
      this.#host.log.error('cluster.damaged', { from, error: error as Error });
    }
  }

  async #release(from: string, item: SessionItem): Promise<void> {
    await this.#handovers.release(from, item);
    this.#inbound.answer(from, item.id, true);
  }

  #onLink(event: LinkEvent): void {
    if (event === 'down') this.#hearing.linkDown();
    if (event !== 'up') return;
    this.#channels.linkUp();
    this.#announcements.linkUp();
  }

  #beat(): void {
    this.#hearing.look();
    this.#announcements.beat();
  }

  #onJoined(member: Member): void {
    this.#host.log.info('cluster.joined', { node: member.name, id: member.id });
    this.#channels.open(member.id);
    this.#announcements.joined(member.id);
  }

  #onGone(member: Member, how: 'left' | 'dead'): void {
    this.#host.log.warn('cluster.gone', { node: member.name, id: member.id, how });
    this.#announcements.left(member.id);
    this.#channels.close(member.id);
    this.#forgetAnswers(member.id);
    this.#table.onNodeGone(member.id);
  }

  /** Nothing that was asked of this node will be answered. */
  #forgetAnswers(node: string): void {
    this.#questions.onNodeGone(node);
    this.#delivery.onNodeGone(node);
  }

  #reap(member: Member): void {
    this.#reaping = this.#reaping
      .then(() => this.#host.reap((owner) => owner === member.id))
      .then(() => this.#host.peers.tell('reaped', member.id))
      .then(() => {
        this.#table.onReaped(member.id);
        return this.#membership?.dealtWith(member.id);
      })
      .catch(this.#host.onFault);
  }

  /** Another node has taken over what a node that is gone had. */
  onReaped(node: string): void {
    this.#table.onReaped(node);
  }
}

const ANNOUNCEMENT = Buffer.from([ITEM.announcement]);
