import { type Bus, EVERY_NODE } from '@parley/keyspace/bus';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { KeyspaceError, type KeyspaceFailure } from '@parley/keyspace/keyspace-error';
import { cannotJoin } from './cannot-join.ts';
import type { Lease } from './lease.ts';
import { describeMember, type Member, type MemberEntry, memberOf } from './member.ts';
import { type Blame, dealtWith, heartbeat, leave, REMEMBERED_MS, type Roll } from './member-operations.ts';
import { Vigil } from './vigil.ts';

export type { Member } from './member.ts';

export interface MembershipHost {
  readonly keyspace: Keyspace;
  /** Frames for `self.id` and for all nodes. */
  readonly bus: Bus;
  readonly self: Member;
  lease(): Lease;
  onJoined(member: Member): void;
  /** It has left in order, or was declared dead. Told once of each that had joined. */
  onGone(member: Member, how: 'left' | 'dead'): void;
  /**
   * This node is to deal with what a gone member left behind, and to say so with `dealtWith`. Never told before `join`
   * has resolved; told again where the keyspace may have lost that it was done, or what was done.
   */
  onReap(member: Member): void;
  /** This node was declared dead: nothing is its own any more, and it has to join anew under another id. */
  onFenced(): void;
  /** A fault of the program. That the keyspace fails at times is none. */
  onFault(error: unknown): void;
}

/** The frame that makes whoever gets it beat, and so look, at once. All other frames hold something. */
export const LOOK_FRAME = Buffer.alloc(0);

/** A keyspace that loses its newest writes has all that are older. */
const REAPED_MS = 60_000;

/** As where the keyspace is closed: whoever waits gives up. */
const noMember = () => new KeyspaceError('closed', 'This node is not one of the cluster any more.');

/** Failures of the keyspace that end by themselves: the next beat will tell. */
const PASSING = new Set<KeyspaceFailure>(['away', 'slow', 'full', 'read-only']);

/** Who is in the cluster. Each member beats in the keyspace, and sees there whom else it has. */
export class Membership implements AsyncDisposable {
  readonly #host: MembershipHost;
  readonly #others = new Map<string, Member>();
  /** Who is known to have gone, and when that was seen last. */
  readonly #gone = new Map<string, number>();
  /** Gone, but the keyspace has forgotten that, and so have they. */
  #risen: string[] = [];
  /** A frame for them reached nobody, and they were not looked at since. */
  readonly #suspected = new Set<string>();
  readonly #reaping = new Set<string>();
  /** What this node was to deal with lately, and when that was told: the oldest first. */
  readonly #told = new Map<string, { readonly member: Member; readonly at: number }>();
  /** Dealt with, which the keyspace does not know yet. */
  readonly #dealtWith = new Set<string>();
  /** Because of it this node was not taken in; it may have died without anybody to say so. */
  #obstacle: string | undefined;
  readonly #vigil = new Vigil();
  readonly #joining = Promise.withResolvers<void>();
  readonly #stops: (() => void)[];
  #joined = false;
  #ended = false;
  #cut: boolean;
  #beats = 0;
  #answeredAt: number | undefined;
  /** When the last beat began that was answered. */
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #confirming: PromiseWithResolvers<void> | undefined;
  #due = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;
  #leaving: Promise<void> | undefined;

  private constructor(host: MembershipHost) {
    this.#host = host;
    this.#cut = host.keyspace.state === 'down';
    this.#stops = [
      host.bus.onPush((frame) => frame.length === 0 && this.#beatIn(0)),
      host.bus.onLink((event) => {
        if (event === 'storeChanged') this.#reapAgain();
        if (event === 'up' && this.#cut) this.#beatIn(0);
        this.#cut = event !== 'up';
        if (this.#cut) this.#vigil.interrupt();
      }),
    ];
  }

  /**
   * Resolves when the first beat is committed; `onJoined` was called for all others then. Waits where the keyspace is
   * away, slow or full; rejects where an operator has to act, as where one of the others and this node are of versions
   * that do not understand each other.
   */
  static async join(host: MembershipHost): Promise<Membership> {
    const membership = new Membership(host);
    void membership.#beat();
    await membership.#joining.promise;
    return membership;
  }

  /** The others that live, by id. */
  get members(): ReadonlyMap<string, Member> {
    return this.#others;
  }

  isAlive(id: string): boolean {
    return id === this.#host.self.id ? !this.#ended : this.#others.has(id);
  }

  /**
   * Undefined where this node is surely a member: nobody can have declared it dead since its last beat. Else resolves when
   * the next beat is answered, and rejects where this node is none any more.
   */
  confirmed(): Promise<void> | undefined {
    if (this.#ended) return Promise.reject(noMember());
    if (performance.now() - this.#confirmedAt < this.#host.lease().absentMs) return undefined;
    this.#beatIn(0);
    this.#confirming ??= Promise.withResolvers();
    return this.#confirming.promise;
  }

  /** A frame for it reached nobody: looks as soon as that can prove anything. */
  suspect(id: string): void {
    if (!this.#others.has(id)) return;
    this.#suspected.add(id);
    this.#follow(id);
  }

  /** What a gone member left behind is dealt with. Where the keyspace fails now it is told with the next beat. */
  async dealtWith(id: string): Promise<void> {
    const { keyspace, self } = this.#host;
    this.#dealtWith.add(id);
    try {
      await dealtWith(keyspace, self.id, id);
      this.#dealtWith.delete(id);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Leaves in order; the others look at once. Where the keyspace fails they find out by themselves. */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave();
    return this.#leaving;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave();
  }

  async #leave(): Promise<void> {
    if (this.#ended) return;
    const { keyspace, self } = this.#host;
    this.#end();
    try {
      await leave(keyspace, self.id, LOOK_FRAME);
    } catch (error) {
      this.#failed(error);
    }
    await this.#beating;
  }

  #beatIn(milliseconds: number): void {
    const due = performance.now() + milliseconds;
    if (this.#ended || due >= this.#due) return;
    this.#due = due;
    if (this.#beating === undefined) this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const milliseconds = Math.max(0, Math.ceil(this.#due - performance.now()));
    this.#timer = setTimeout(() => void this.#beat(), milliseconds).unref();
  }

  async #beat(): Promise<void> {
    this.#due = performance.now() + this.#host.lease().heartbeatMs;
    this.#beating = this.#round();
    await this.#beating;
    this.#beating = undefined;
    if (this.#ended) return;
    for (const id of this.#suspected) this.#follow(id);
    this.#wait();
  }

  /** Beats as soon as it proves something that a suspected member is silent, and nobody listens. */
  #follow(id: string): void {
    const { absentMs } = this.#host.lease();
    const silence = this.#vigil.silence(id, performance.now(), absentMs);
    if (silence >= absentMs) this.#suspected.delete(id);
    // timers may be early by a part of a millisecond
    this.#beatIn(Math.max(0, absentMs - silence + 1));
  }

  async #round(): Promise<void> {
    const { keyspace, self } = this.#host;
    try {
      const blame = await this.#blame();
      if (this.#ended) return;
      this.#beats += 1;
      // who was away for longer than anybody remembers may well have been declared dead
      const comesBack = performance.now() - (this.#answeredAt ?? performance.now()) < REMEMBERED_MS;
      const { id, frames } = self;
      const beat = { id, about: describeMember(self), number: this.#beats, comesBack, frames, blame };
      const began = performance.now();
      const roll = await heartbeat(keyspace, beat);
      if (this.#ended) return;
      if (roll === undefined) return this.#fenced();
      if ('because' in roll) return this.#refused(roll.because);
      this.#confirmedAt = began;
      this.#hear(roll, blame);
      this.#confirming?.resolve();
      this.#confirming = undefined;
      const news = !this.#joined || blame.length > 0;
      this.#joined = true;
      this.#joining.resolve();
      if (news) await this.#publish(EVERY_NODE);
      for (const id of this.#dealtWith) await this.dealtWith(id);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Whom this beat is to declare dead. */
  async #blame(): Promise<Blame[]> {
    const { leaseMs, absentMs } = this.#host.lease();
    const now = performance.now();
    const blame: Blame[] = this.#risen.map((id) => ({ id, beat: undefined }));
    const look = async (id: string) => {
      const beat = this.#vigil.beatOf(id);
      const silence = this.#vigil.silence(id, now, absentMs);
      const absent = silence >= absentMs && this.#vigil.isCurrent(id);
      if (silence >= leaseMs || (absent && (await this.#publish(id)) === 0)) blame.push({ id, beat });
    };
    const watched = [...this.#others.keys(), ...(this.#obstacle === undefined ? [] : [this.#obstacle])];
    await Promise.all(watched.map(look));
    return blame;
  }

  /** Makes a node, or all, beat at once. How many that reached, where it is known. */
  async #publish(node: string): Promise<number | undefined> {
    try {
      return await this.#host.bus.publish(node, LOOK_FRAME);
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #hear({ time, entries }: Roll, blame: readonly Blame[]): void {
    const { heartbeatMs, absentMs } = this.#host.lease();
    const now = performance.now();
    this.#answeredAt = now;
    this.#vigil.answered(now, absentMs);
    this.#risen = [];
    const missing = new Set(this.#others.keys());
    for (const entry of entries) {
      const { id, state, beat, since } = entry;
      if (id === this.#host.self.id) continue;
      missing.delete(id);
      if (state !== 'alive') {
        this.#gone.set(id, now);
        this.#part(id, state);
      } else if (this.#gone.has(id)) {
        this.#risen.push(id);
      } else {
        // what we do not hear at once is no older than that, whatever the keyspace's clock did
        this.#vigil.hear(id, beat, now, Math.min(Math.max(0, time - since), heartbeatMs));
        this.#meet(memberOf(entry));
      }
    }
    // the keyspace has forgotten them, and they do not come back
    for (const { id } of blame) {
      if (!missing.has(id)) continue;
      this.#gone.set(id, now);
      this.#part(id, 'dead');
    }
    for (const [id, seen] of this.#gone) if (now - seen > REMEMBERED_MS) this.#gone.delete(id);
    if (this.#risen.length > 0) this.#beatIn(0);
    this.#reap(entries);
  }

  #meet(member: Member): void {
    if (this.#others.has(member.id)) return;
    this.#others.set(member.id, member);
    this.#tell(() => this.#host.onJoined(member));
  }

  #part(id: string, how: 'left' | 'dead'): void {
    const member = this.#others.get(id);
    this.#vigil.forget(id);
    this.#suspected.delete(id);
    if (!this.#others.delete(id) || member === undefined) return;
    this.#tell(() => this.#host.onGone(member, how));
  }

  #reap(entries: readonly MemberEntry[]): void {
    const ours = entries.filter(({ state, reaper }) => state !== 'alive' && reaper === this.#host.self.id);
    const fresh = ours.filter(({ id }) => !this.#reaping.has(id));
    this.#reaping.clear();
    for (const { id } of ours) this.#reaping.add(id);
    for (const entry of fresh) {
      const tell = () => this.#tellReap(memberOf(entry));
      // whoever waits for `join` has no membership yet to say that it is done
      if (this.#joined) tell();
      else setImmediate(tell);
    }
  }

  #tellReap(member: Member): void {
    const now = performance.now();
    this.#told.delete(member.id);
    this.#told.set(member.id, { member, at: now });
    for (const [id, { at }] of this.#told) {
      if (now - at < REAPED_MS) break;
      this.#told.delete(id);
    }
    this.#tell(() => this.#host.onReap(member));
  }

  /** The keyspace lacks its newest writes, perhaps some of those by which gone members were dealt with. */
  #reapAgain(): void {
    const now = performance.now();
    for (const { member, at } of [...this.#told.values()]) {
      if (now - at < REAPED_MS) this.#tell(() => this.#host.onReap(member));
    }
  }

  /** This node and another one cannot be of one cluster. It is looked at until it beats again, or is found to be dead. */
  #refused(because: MemberEntry): void {
    const { id, beat } = because;
    const { absentMs } = this.#host.lease();
    const now = performance.now();
    const last = this.#vigil.beatOf(id);
    if (this.#joined) {
      this.#fenced(); // the keyspace had forgotten us, and has taken in others meanwhile
    } else if (last !== undefined && last !== beat) {
      this.#end();
      this.#joining.reject(cannotJoin(this.#host.self, memberOf(because)));
    } else {
      this.#obstacle = id;
      this.#vigil.answered(now, absentMs);
      this.#vigil.hear(id, beat, now, 0);
    }
  }

  #fenced(): void {
    this.#end();
    if (this.#joined) this.#tell(() => this.#host.onFenced());
    else this.#joining.reject(new Error('This node was declared dead before it had joined the cluster.'));
  }

  #failed(error: unknown): void {
    const failure = error instanceof KeyspaceError ? error.failure : 'misuse';
    if (PASSING.has(failure)) return;
    if (!this.#joined) {
      this.#end();
      this.#joining.reject(error);
    } else if (failure === 'closed') this.#end();
    else if (failure === 'misuse') this.#host.onFault(error);
  }

  #end(): void {
    this.#ended = true;
    this.#confirming?.reject(noMember());
    clearTimeout(this.#timer);
    for (const stop of this.#stops.splice(0)) stop();
  }

  #tell(body: () => void): void {
    try {
      body();
    } catch (error) {
      this.#host.onFault(error);
    }
  }
}
