/**
 * Who beats, and for how long somebody has been silent, by this process's own clock alone: what the keyspace's clock does
 * makes nobody look dead. Silence counts only while this node's own beats are answered, one after the other; whoever was
 * cut off, or stood still, has heard nobody and begins anew.
 */
export class Vigil {
  readonly #heard = new Map<string, { beat: string; at: number; since: number }>();
  /** Since when our own beats are answered. */
  #steadySince: number | undefined;
  /** They were before, too. */
  #anew = false;
  #answeredAt = Number.NEGATIVE_INFINITY;

  /** A beat of this node was answered. One that comes more than so many milliseconds after the one before begins anew. */
  answered(now: number, gapMs: number): void {
    if (now - this.#answeredAt > gapMs) {
      this.#anew = this.#steadySince !== undefined;
      this.#steadySince = now;
    }
    this.#answeredAt = now;
  }

  /** We are cut off. */
  interrupt(): void {
    this.#answeredAt = Number.NEGATIVE_INFINITY;
  }

  /** The latest beat of a member, which is that old. */
  hear(id: string, beat: string, now: number, ageMs: number): void {
    if (this.#heard.get(id)?.beat !== beat) this.#heard.set(id, { beat, at: now, since: now - ageMs });
  }

  forget(id: string): void {
    this.#heard.delete(id);
  }

  /** The latest beat that was heard of a member. */
  beatOf(id: string): string | undefined {
    return this.#heard.get(id)?.beat;
  }

  /** For how many milliseconds a member would have been heard, and was not. */
  silence(id: string, now: number, gapMs: number): number {
    const heard = this.#heard.get(id);
    if (heard === undefined || this.#steadySince === undefined || now - this.#answeredAt > gapMs) return 0;
    return Math.max(0, now - Math.max(heard.since, this.#steadySince));
  }

  /**
   * Whether the latest beat of a member was heard since our own are answered. Where it was not, both of us may have been
   * cut off by the same outage, and the other one takes longer to come back. What the first answer of all told is as
   * good as heard: whoever starts finds what those left behind who ended before.
   */
  isCurrent(id: string): boolean {
    const heard = this.#heard.get(id);
    if (heard === undefined || this.#steadySince === undefined) return false;
    return this.#anew ? heard.at > this.#steadySince : heard.at >= this.#steadySince;
  }
}
