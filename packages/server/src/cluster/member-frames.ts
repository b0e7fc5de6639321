import type { Log } from '../log.ts';
import { frameHead } from './frame.ts';
import { commonVersion, FRAME_VERSIONS, type FrameVersions } from './frame-versions.ts';
import type { Member } from './member.ts';

/** In which versions of frames this node and the other members talk: always the newest that all of them read. */
export class MemberFrames {
  readonly versions: FrameVersions;
  /** What a frame for all members begins with. */
  head: Buffer;
  readonly #self: string;
  readonly #log: Log;
  readonly #others = new Map<string, FrameVersions>();
  readonly #misled = new Set<string>();

  constructor(self: string, log: Log, versions: FrameVersions = FRAME_VERSIONS) {
    this.#self = self;
    this.#log = log;
    this.versions = versions;
    this.head = frameHead('announcement', self, versions.newest);
  }

  /** The version of frames for this member. There is one: else one of us had not been taken in. */
  joined({ id, frames }: Member): number {
    this.#others.set(id, frames);
    this.#choose();
    return this.#common([frames]);
  }

  gone(id: string): void {
    this.#others.delete(id);
    this.#misled.delete(id);
    this.#choose();
  }

  /**
   * A frame that is not read is from somebody who did not know of this node yet, and spoke to all others. What was in it is
   * missed, and had then as whatever gets lost.
   */
  onOtherVersion(from: string, version: number): void {
    if (!this.#others.has(from) || this.#misled.has(from)) return;
    this.#misled.add(from);
    this.#log.info('cluster.unread', { from, version });
  }

  #choose(): void {
    this.head = frameHead('announcement', this.#self, this.#common(this.#others.values()));
  }

  #common(others: Iterable<FrameVersions>): number {
    return commonVersion([this.versions, ...others]) ?? this.versions.newest;
  }
}
