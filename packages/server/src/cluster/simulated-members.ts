import { Jid } from '@parley/xmpp/jid';
import type { AnnouncedSession } from './announced-session.ts';
import { readItem, type SnapshotPage, type SnapshotRequest } from './announcement.ts';
import { Announcements } from './announcements.ts';

interface Broadcast {
  readonly from: string;
  readonly to: string;
  readonly body: Buffer;
}

interface Channel {
  readonly from: string;
  readonly to: string;
  readonly items: Buffer[];
}

/** A session to announce, for tests. */
export function sessionOf(sid: string, rest: Partial<AnnouncedSession> = {}): AnnouncedSession {
  return {
    sid,
    epoch: 1,
    jid: Jid.parse(`user@example.org/${sid}`),
    boundAt: 1_700_000_000_000,
    priority: 0,
    interested: false,
    carbonsSince: Number.POSITIVE_INFINITY,
    receivingSince: Number.POSITIVE_INFINITY,
    detached: false,
    resumable: true,
    presence: undefined,
    ...rest,
  };
}

/** A member for tests: what it has, and what it knows of the others. */
export class SimulatedMember {
  readonly id: string;
  readonly announcements: Announcements;
  readonly own = new Map<string, AnnouncedSession>();
  readonly views = new Map<string, Map<string, AnnouncedSession>>();
  /** Whose bytes could not be read, each time. */
  readonly damaged: string[] = [];
  /** How often all that is known of a member was replaced. */
  resets = 0;

  constructor(id: string, network: SimulatedNetwork) {
    this.id = id;
    const { own, damaged } = this;
    this.announcements = new Announcements({
      self: id,
      broadcast: (body) => network.broadcast(id, body),
      send: (to, item) => network.send(id, to, item),
      find: (sid) => own.get(sid),
      local: () => own.values(),
      put: (from, session) => this.view(from).set(session.sid, session),
      remove: (from, sid) => this.view(from).delete(sid),
      reset: (from, sessions) => {
        this.resets++;
        this.views.set(from, new Map(sessions.map((session) => [session.sid, session])));
      },
      onDamaged: (from) => damaged.push(from),
    });
  }

  set(session: AnnouncedSession): void {
    this.own.set(session.sid, session);
    this.announcements.changed(session.sid);
  }

  delete(sid: string): void {
    this.own.delete(sid);
    this.announcements.changed(sid);
  }

  view(from: string): Map<string, AnnouncedSession> {
    const view = this.views.get(from) ?? new Map<string, AnnouncedSession>();
    this.views.set(from, view);
    return view;
  }
}

/** Bus and channels between simulated members. Everything waits until a test has it delivered, or lost. */
export class SimulatedNetwork {
  readonly members = new Map<string, SimulatedMember>();
  readonly broadcasts: Broadcast[] = [];
  readonly #channels = new Map<string, Channel>();
  readonly #turn: () => void;

  /** `turn` has all that waits for the end of the turn done. */
  constructor(turn: () => void) {
    this.#turn = turn;
  }

  /** One that does not know the others yet, nor they it. */
  add(id: string): SimulatedMember {
    const member = new SimulatedMember(id, this);
    this.members.set(id, member);
    return member;
  }

  /** Gone without a word: what it sent last may still come. */
  crash(id: string): void {
    this.members.get(id)?.announcements.stop();
    this.members.delete(id);
  }

  broadcast(from: string, body: Buffer): void {
    for (const to of this.members.keys()) this.broadcasts.push({ from, to, body });
  }

  send(from: string, to: string, item: Buffer): void {
    const key = `${from} ${to}`;
    const channel = this.#channels.get(key) ?? { from, to, items: [] };
    this.#channels.set(key, channel);
    channel.items.push(item);
  }

  /** Those that have something to deliver. */
  get channels(): Channel[] {
    return [...this.#channels.values()].filter(({ items }) => items.length > 0);
  }

  deliverBroadcast(index = 0): void {
    for (const { from, to, body } of this.broadcasts.splice(index, 1)) {
      this.members.get(to)?.announcements.onBroadcast(from, body);
    }
  }

  /** The next one of a channel. */
  deliverItem({ from, to, items }: Channel): void {
    const item = items.shift();
    if (item !== undefined) this.members.get(to)?.announcements.onItem(from, item);
  }

  /** The next item that this member is to get, and what it does then. */
  deliverItemTo(member: SimulatedMember): void {
    const channel = this.channels.find(({ to }) => to === member.id);
    if (channel) this.deliverItem(channel);
    this.#turn();
  }

  deliverBroadcasts(): void {
    this.#turn();
    while (this.broadcasts.length > 0) this.deliverBroadcast();
  }

  /** Until nobody has anything to say. */
  deliverAll(): void {
    this.deliverBroadcasts();
    while (this.channels.length > 0) {
      for (const channel of this.channels) this.deliverItem(channel);
      this.deliverBroadcasts();
    }
  }

  /** The broadcasts that wait for a member. */
  bodiesFor(member: SimulatedMember): Buffer[] {
    return this.broadcasts.filter(({ to }) => to === member.id).map(({ body }) => body);
  }

  /** The items that wait for a member. */
  itemsFor(member: SimulatedMember): (SnapshotRequest | SnapshotPage)[] {
    return this.channels.filter(({ to }) => to === member.id).flatMap(({ items }) => items.map(readItem));
  }
}
