/** So many are kept: streams are in few states. */
const MOST_KEPT = 8;

interface Made<T> {
  readonly parts: readonly unknown[];
  readonly value: T;
}

/**
 * What is made of the same parts again and again, as most streams are offered the same: it is made once. Parts are the same
 * where `===` says so; what is made of them is nobody's to change.
 */
export class MadeBefore<T> {
  readonly #kept: Made<T>[] = [];

  of(parts: readonly unknown[], make: () => T): T {
    for (const made of this.#kept) if (areSame(made.parts, parts)) return made.value;
    const value = make();
    if (this.#kept.length === MOST_KEPT) this.#kept.shift();
    this.#kept.push({ parts: [...parts], value });
    return value;
  }
}

function areSame(some: readonly unknown[], others: readonly unknown[]): boolean {
  if (some.length !== others.length) return false;
  for (let i = 0; i < some.length; i++) if (some[i] !== others[i]) return false;
  return true;
}
