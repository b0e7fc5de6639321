/** Members (byte strings) in order of score, then of bytes. */
export class SortedSet {
  readonly #scores = new Map<string, number>();
  readonly #order: string[] = [];

  get size(): number {
    return this.#order.length;
  }

  score(member: string): number | undefined {
    return this.#scores.get(member);
  }

  set(member: string, score: number): void {
    const old = this.#scores.get(member);
    if (old === score) return;
    if (old !== undefined) this.#order.splice(this.#position(member, old), 1);
    this.#scores.set(member, score);
    this.#order.splice(this.#position(member, score), 0, member);
  }

  delete(member: string): void {
    const score = this.#scores.get(member);
    if (score === undefined) return;
    this.#order.splice(this.#position(member, score), 1);
    this.#scores.delete(member);
  }

  *range(min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): Generator<[member: string, score: number]> {
    for (let index = this.#position('', min); index < this.#order.length; index += 1) {
      const member = this.#order[index] ?? '';
      const score = this.#scores.get(member) ?? 0;
      if (score > max) return;
      yield [member, score];
    }
  }

  /** The index of the first member that does not come before this one. */
  #position(member: string, score: number): number {
    let low = 0;
    let high = this.#order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#order[middle] ?? '';
      const otherScore = this.#scores.get(other) ?? 0;
      // Byte strings compare as their bytes do.
      if (otherScore < score || (otherScore === score && other < member)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
