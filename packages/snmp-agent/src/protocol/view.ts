import { compareOids, isWithin, type Oid } from './oid.ts';
import type { Value } from './value.ts';

/** One value that can be read. A function is asked each time. */
export interface Cell {
  readonly oid: Oid;
  readonly value: Value | (() => Value);
}

/** All that can be read, in the order of a walk. It is replaced as a whole: an answer never mixes two moments. */
export class View {
  #cells: readonly Cell[] = [];

  get size(): number {
    return this.#cells.length;
  }

  replace(cells: readonly Cell[]): void {
    this.#cells = cells.toSorted((one, other) => compareOids(one.oid, other.oid));
  }

  get(oid: Oid, subtrees: readonly Oid[]): Cell | undefined {
    const cell = this.#cells[this.#firstFrom(oid)];
    if (cell === undefined || compareOids(cell.oid, oid) !== 0) return undefined;
    return subtrees.some((subtree) => isWithin(oid, subtree)) ? cell : undefined;
  }

  /** The first one behind `oid` that lies in one of the subtrees. */
  next(oid: Oid, subtrees: readonly Oid[]): Cell | undefined {
    let first: Cell | undefined;
    for (const subtree of subtrees) {
      const ahead = compareOids(subtree, oid) > 0;
      const cell = this.#cells[ahead ? this.#firstFrom(subtree) : this.#firstBehind(oid)];
      if (cell === undefined || !isWithin(cell.oid, subtree)) continue;
      if (first === undefined || compareOids(cell.oid, first.oid) < 0) first = cell;
    }
    return first;
  }

  #firstFrom(oid: Oid): number {
    return this.#search((order) => order < 0, oid);
  }

  #firstBehind(oid: Oid): number {
    return this.#search((order) => order <= 0, oid);
  }

  /** How many are `before`. */
  #search(before: (order: number) => boolean, oid: Oid): number {
    let low = 0;
    let high = this.#cells.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (before(compareOids((this.#cells[middle] as Cell).oid, oid))) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export const readCell = ({ value }: Cell): Value => (typeof value === 'function' ? value() : value);
