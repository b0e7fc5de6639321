import type { Definition, Labels, LabelValues } from './definition.ts';

/** One value for each label; where the list is fixed, only one of the list compiles. */
export type LabelSet<L extends Labels> = {
  readonly [Name in keyof L]: L[Name] extends readonly (infer Value)[] ? Value : string;
};

/** Children that a family with an open label may have; what comes later is counted together under `other`. */
const MOST_OPEN_CHILDREN = 1000;

/** One metric with labels: a child for each combination of values. Resolve a child once and keep it. */
export class Family<Child, L extends Labels> {
  readonly #definition: Definition<Definition['kind'], L>;
  readonly #make: () => Child;
  readonly #children = new Map<string, Child>();

  constructor(definition: Definition<Definition['kind'], L>, make: () => Child) {
    this.#definition = definition;
    this.#make = make;
    for (const values of combinations(Object.values(definition.labels))) this.#children.set(seriesKey(values), make());
  }

  /** The child with these values; throws for a value that the catalogue does not have. */
  with(labels: LabelSet<L>): Child {
    const values: string[] = [];
    for (const name in this.#definition.labels) {
      const value = labels[name];
      if (typeof value !== 'string') throw new Error(`${this.#definition.name} needs a value of the label ${name}.`);
      values.push(value);
    }
    const child = this.#children.get(seriesKey(values));
    return child ?? this.#add(values);
  }

  /** The key of each child (see seriesKey) with the child. */
  entries(): IterableIterator<[string, Child]> {
    return this.#children.entries();
  }

  #add(values: string[]): Child {
    for (const [index, [name, known]] of Object.entries(this.#definition.labels).entries()) {
      if (known !== 'open' && !known.includes(values[index] as string)) {
        throw new Error(`${this.#definition.name} has no label ${name}="${values[index]}" in the catalogue.`);
      }
    }
    // A fixed combination exists from the start, so this family has an open label.
    const full = this.#children.size >= MOST_OPEN_CHILDREN;
    const lists = Object.values(this.#definition.labels);
    const key = seriesKey(full ? values.map((value, index) => (lists[index] === 'open' ? 'other' : value)) : values);
    let child = this.#children.get(key);
    if (child === undefined) {
      child = this.#make();
      this.#children.set(key, child);
    }
    return child;
  }
}

/** The values of a series' labels in the catalogue's order, in one string. */
export const seriesKey = (values: readonly string[]): string =>
  values.map((value) => value.replaceAll(/[%,]/g, encodeURIComponent)).join(',');

export const seriesValues = (key: string): string[] =>
  key.split(',').map((value) => value.replaceAll('%2C', ',').replaceAll('%25', '%'));

/** Every combination of fixed values; none where a label is open. */
export function combinations(lists: readonly LabelValues[]): string[][] {
  let all: string[][] = [[]];
  for (const list of lists) {
    if (list === 'open') return [];
    all = all.flatMap((start) => list.map((value) => [...start, value]));
  }
  return all;
}
