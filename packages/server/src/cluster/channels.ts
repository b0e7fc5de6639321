import { Channel, type ChannelHost, TICK_MS } from './channel.ts';
import { ChannelCounts } from './channel-counts.ts';
import { frameHead } from './frame.ts';
import { FRAME_VERSIONS } from './frame-versions.ts';

export interface ChannelsHost {
  /** The id of this member. */
  readonly self: string;
  /** Resolves to how many it reached: 0 proves that nobody listens. Rejects with a KeyspaceError where the link is down. */
  publish(to: string, frame: Buffer): Promise<number>;
  /** An item came: each once, in order. It is part of a frame, which stays in memory as long as the item does. */
  receive(from: string, item: Buffer): void;
  /** A frame for this member reached nobody. It is sent again in time. */
  onAbsent(to: string): void;
  /** A frame from this member cannot be read, and is ignored. Said once of each. */
  onDamaged(from: string, error: Error): void;
  /**
   * The member has closed and opened us again: it has forgotten everything that was sent, in both directions, and so has
   * this side. What has not been answered never will be.
   */
  onReset(from: string): void;
}

/**
 * Brings items to the other members over a bus that may lose frames and change their order: each item once, in the order of
 * sending, as long as both live. What is sent in one turn of the event loop goes out at its end, in as few frames as
 * possible. In memory is what is not acknowledged.
 */
export class Channels implements Disposable {
  readonly counts = new ChannelCounts();
  readonly #host: ChannelHost;
  readonly #self: string;
  readonly #channels = new Map<string, Channel>();
  #dirty: Channel[] = [];
  readonly #ticking = new Set<Channel>();
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(host: ChannelsHost) {
    this.#self = host.self;
    this.#host = {
      counts: this.counts,
      publish: (to, frame) => host.publish(to, frame),
      receive: (from, item) => host.receive(from, item),
      onAbsent: (to) => host.onAbsent(to),
      onDamaged: (from, error) => host.onDamaged(from, error),
      onReset: (from) => host.onReset(from),
      flushSoon: (channel) => {
        if (this.#dirty.length === 0) setImmediate(() => this.#flush());
        this.#dirty.push(channel);
      },
      keepTicking: (channel) => {
        this.#ticking.add(channel);
        this.#arm();
      },
    };
  }

  /** A member joined, which reads this version of frames: what it reads never changes. */
  open(peer: string, version = FRAME_VERSIONS.newest): void {
    if (this.#over || this.#channels.has(peer)) return;
    this.#channels.set(peer, new Channel(this.#host, peer, frameHead('channel', this.#self, version)));
  }

  /** It is gone: everything of it is forgotten, and frames from it are ignored from now on. */
  close(peer: string): void {
    this.#channels.get(peer)?.close();
    this.#channels.delete(peer);
  }

  /** False where that member is not open: then the item goes nowhere. It must not be changed afterwards. */
  send(to: string, item: Buffer): boolean {
    const channel = this.#channels.get(to);
    channel?.send(item);
    return channel !== undefined;
  }

  /** The body of a channel frame. */
  onFrame(from: string, body: Buffer): void {
    this.#channels.get(from)?.onFrame(body);
  }

  /** Frames may have been lost: what is not acknowledged is sent again, to all. */
  linkUp(): void {
    for (const channel of this.#channels.values()) channel.linkUp();
  }

  /** Bytes that a member has not acknowledged. */
  waiting(to: string): number {
    return this.#channels.get(to)?.waiting ?? 0;
  }

  /** Bytes that all members together have not acknowledged. */
  get waitingBytes(): number {
    return this.#channels.values().reduce((sum, { waiting }) => sum + waiting, 0);
  }

  [Symbol.dispose](): void {
    this.#over = true;
    for (const peer of [...this.#channels.keys()]) this.close(peer);
    clearTimeout(this.#timer);
  }

  #flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const channel of dirty) channel.flush();
  }

  #tick(): void {
    this.#timer = undefined;
    for (const channel of this.#ticking) if (!channel.tick()) this.#ticking.delete(channel);
    if (this.#ticking.size > 0) this.#arm();
  }

  #arm(): void {
    if (!this.#over) this.#timer ??= setTimeout(() => this.#tick(), TICK_MS).unref();
  }
}
