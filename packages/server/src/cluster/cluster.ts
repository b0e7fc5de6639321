import { setTimeout as pause } from 'node:timers/promises';
import { type Bus, EVERY_NODE } from '@parley/keyspace/bus';
import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Jid } from '@parley/xmpp/jid';
import type { Stanza } from '@parley/xmpp/stanza';
import { StreamError } from '@parley/xmpp/stream-error';
import type { Log } from '../log.ts';
import type { Peers } from '../peers.ts';
import type { Awaitable } from '../pipeline.ts';
import { nextAttempt, untilDone } from '../session/attempts.ts';
import type { OtherNodes } from '../session/other-nodes.ts';
import type { RemoteSession } from '../session/remote-session.ts';
import type { ResumptionStore } from '../session/resumption/resumption-store.ts';
import type { Session } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { AnnouncedSession } from './announced-session.ts';
import { Announcements } from './announcements.ts';
import { Channels } from './channels.ts';
import { ClusterJournal } from './cluster-journal.ts';
import { type Frame, Frames, frameHead } from './frame.ts';
import { InboundDeliveries } from './inbound-deliveries.ts';
import {
  decodeAcknowledged,
  decodeAnswers,
  decodeNotice,
  decodeSession,
  encodeAcknowledged,
  encodeSession,
  ITEM,
} from './items.ts';
import type { Member } from './member.ts';
import { Membership } from './membership.ts';
import { Questions } from './questions.ts';
import { RemoteDelivery } from './remote-delivery.ts';
import { SessionRegistry } from './session-registry.ts';
import { SessionTable } from './session-table.ts';

/** How this node takes part in a cluster. */
export interface ClusterLink {
  readonly bus: Bus;
  /** 16 hexadecimal digits, other ones at each start: what keyspace and bus know this node by. */
  readonly id: string;
  /** What operators know it by. */
  readonly name: string;
}

export interface ClusterHost extends ClusterLink {
  readonly keyspace: Keyspace;
  readonly sessions: Sessions;
  readonly store: ResumptionStore;
  readonly peers: Peers;
  readonly log: Log;
  readonly version: string;
  lease(): { readonly heartbeatMs: number; readonly leaseMs: number; readonly absentMs: number };
  route(stanza: Stanza): Awaitable<void>;
  onLate(stanza: Stanza): Awaitable<void>;
  /** Another node takes a session over. */
  onLeaving(session: Session): void;
  /** A session of another node is over, or gets no messages any more. */
  onGoneElsewhere(account: Jid): void;
  /** Takes over what nodes that are gone had. */
  reap(isGone: (owner: string, sid: string) => boolean): Promise<void>;
  /** This node was declared dead: nothing is its own any more. */
  onFenced(): void;
  onFault(error: unknown): void;
}

/** How long a session's owner may take to leave it to another node. */
const RELEASE_MS = 500;
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
  readonly #head: Buffer;
  readonly #stops: (() => void)[] = [];
  #membership: Membership | undefined;
  #reaping: Promise<void> = Promise.resolve();

  constructor(host: ClusterHost) {
    this.#host = host;
    const { sessions, store, keyspace, bus, id, log } = host;
    this.#head = frameHead('announcement', id);
    const onDamaged = (from: string, error: Error) => log.error('cluster.damaged', { from, error });
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
      broadcast: (body) => void bus.publish(EVERY_NODE, Buffer.concat([this.#head, body])).catch(() => {}),
      send: (to, item) => this.#channels.send(to, Buffer.concat([ANNOUNCEMENT, item])),
      find: (sid) => announced(sessions.owned({ sessionId: sid })),
      local: () => Iterator.from(sessions).map((session) => announced(session) as AnnouncedSession),
      put: (from, session) => this.#table.put(from, session),
      remove: (from, sid) => this.#table.remove(from, sid),
      reset: (from, all) => this.#table.reset(from, all),
      onDamaged,
    });
    this.#table = new SessionTable({
      sessions,
      end: (session) => this.#evict(session.node, session.sessionId),
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
      evict: (owner, sid) => this.#evict(owner, sid),
      onFault: host.onFault,
    });
    this.#questions = new Questions(send);
    this.journal = new ClusterJournal(sessions, this.#delivery);
    host.peers.connect((subject, text) => this.#questions.tellAll(this.#others(), subject, text));
  }

  /** Resolves when this node is one of the cluster and knows what the others have. */
  async join(): Promise<void> {
    const { bus, id, name, version, lease, onFenced, onFault } = this.#host;
    const frames = new Frames({
      onFrame: (frame) => this.#onFrame(frame),
      onDamaged: (from, error) => this.#host.log.error('cluster.damaged', { from, error }),
    });
    this.#stops.push(bus.onPush((bytes) => bytes.length > 0 && frames.receive(bytes)));
    this.#stops.push(bus.onLink((event) => event === 'up' && this.#linkUp()));
    const beat = setInterval(() => this.#announcements.beat(), lease().heartbeatMs).unref();
    this.#stops.push(() => clearInterval(beat));
    this.#membership = await Membership.join({
      keyspace: this.#host.keyspace,
      bus,
      self: { id, name, version, startedAt: Date.now(), frames: FRAMES },
      lease,
      onJoined: (member) => this.#onJoined(member),
      onGone: (member, how) => this.#onGone(member, how),
      onReap: (member) => this.#reap(member),
      onFenced,
      onFault,
    });
    const known = this.#announcements.known(this.#others());
    await Promise.race([known, pause(KNOWN_MS, undefined, { ref: false })]);
    // what is left of nodes that nobody remembers
    if (this.#membership.members.size === 0) await this.#host.reap((owner) => owner !== id);
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

  get members(): readonly Member[] {
    return [...(this.#membership?.members.values() ?? [])];
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

  async release(owner: string, sid: string): Promise<void> {
    const late = new AbortController();
    const released = this.#questions.ask(owner, (id) => encodeSession(ITEM.release, { id, sid }));
    await Promise.race([released, pause(RELEASE_MS, undefined, { signal: late.signal }).catch(() => {})]);
    late.abort();
  }

  async #release(from: string, { id, sid }: { id: number; sid: string }): Promise<void> {
    const session = this.#host.sessions.owned({ sessionId: sid });
    if (session?.management?.resumable) {
      if (!session.detached) {
        session.release();
        session.detach('it is resumed on another node');
      }
      this.#host.onLeaving(session);
      await session.management.handOver();
      if (!session.ended) {
        session.moved('it is resumed on another node');
        this.#table.left(session, from);
        setTimeout(() => void this.#checkLeft(session).catch(this.#host.onFault), LOOK_LATER_MS).unref();
      }
    }
    this.#inbound.answer(from, id, true);
  }

  /** A session was left to a node that may have died before it took it: it is this node's still. */
  async #checkLeft({ account, sessionId }: Session): Promise<void> {
    const { store, sessions, id, keyspace, reap } = this.#host;
    const found = await untilDone(
      () => store.find(account, sessionId),
      () => nextAttempt(keyspace),
    );
    if (found?.owner !== id) return;
    await reap((owner, sid) => owner === id && sid === sessionId && sessions.owned({ sessionId }) === undefined);
  }

  #evict(owner: string, sid: string): void {
    const own = this.#host.sessions.owned({ sessionId: sid });
    if (own !== undefined) own.end(new StreamError('conflict', 'Another session was bound with this resource.'));
    else if (owner !== this.#host.id) this.#channels.send(owner, encodeSession(ITEM.evict, { id: 0, sid }));
  }

  // --- what comes from others -------------------------------------------------------------------------------------

  #onFrame({ kind, sender, body }: Frame): void {
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
          void this.#release(from, decodeSession(item)).catch(this.#host.onFault);
          return;
        case ITEM.acknowledged: {
          const { id, sid, at } = decodeAcknowledged(item);
          this.#inbound.answer(from, id, this.#host.sessions.owned({ sessionId: sid })?.hasAcknowledged(at) === true);
          return;
        }
        case ITEM.evict:
          this.#evict(this.#host.id, decodeSession(item).sid);
          return;
        case ITEM.announcement:
          this.#announcements.onItem(from, item.subarray(1));
          return;
        default: // a newer node says something that this one does not know
      }
    } catch (error) {
      this.#host.log.error('cluster.damaged', { from, error: error as Error });
    }
  }

  #linkUp(): void {
    this.#channels.linkUp();
    this.#announcements.linkUp();
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

function announced(session: Session | undefined): AnnouncedSession | undefined {
  if (session === undefined) return undefined;
  const { sessionId, jid, boundAt, priority, interested, carbonsSince, receivingSince, detached, management } = session;
  const resumable = management?.resumable === true;
  return {
    sid: sessionId,
    epoch: resumable ? (management?.epoch ?? 0) : 0,
    jid,
    boundAt,
    priority,
    interested,
    carbonsSince,
    receivingSince,
    detached,
    resumable,
    presence: session.presence?.toString(),
  };
}
