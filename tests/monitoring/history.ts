import { PATIENCE } from '../support/in-time.ts';
import type { ClusterProcess } from '../support/three-nodes.ts';
import type { Truth } from './column-truths.ts';
import { Samples } from './samples.ts';

/** The least and the most that something was. */
export type Range = readonly [least: number, most: number];

/** What all nodes showed over a while. */
export class History {
  readonly #nodes: readonly ClusterProcess[];
  /** By node, all that was seen. */
  readonly seen: Samples[][];

  constructor(nodes: readonly ClusterProcess[]) {
    this.#nodes = nodes;
    this.seen = nodes.map(() => []);
  }

  async look(): Promise<void> {
    const now = await Promise.all(this.#nodes.map(({ node }) => Samples.at(node.port('http'))));
    for (const [place, samples] of now.entries()) this.seen[place]?.push(samples);
  }

  /** The same, of these nodes in this order. */
  inOrder(places: readonly number[]): History {
    const other = new History(places.map((place) => this.#nodes[place] as ClusterProcess));
    for (const [at, place] of places.entries()) other.seen[at] = this.seen[place] ?? [];
    return other;
  }

  ofNode(place: number, { value, momentary }: Truth): Range {
    if (momentary) return [0, Number.POSITIVE_INFINITY];
    const values = (this.seen[place] ?? []).map(value);
    return [Math.min(...values), Math.max(...values)];
  }

  ofAll(truth: Truth): Range {
    const ranges = this.seen.map((_, place) => this.ofNode(place, truth));
    const together = (which: 0 | 1): number => {
      const values = ranges.map((range) => range[which]);
      if (truth.together === 'sum') return values.reduce((sum, each) => sum + each, 0);
      return truth.together === 'max' ? Math.max(...values) : Math.min(...values);
    };
    return [together(0), together(1)];
  }
}

/** Resolves when so many nodes have told so often how they are. `heard` says when each of them was heard last. */
export async function reported(
  heard: () => Promise<ReadonlyMap<string, unknown>>,
  nodes: number,
  times = 2,
): Promise<void> {
  const begun = performance.now();
  let before = await heard();
  for (let reports = 0; reports < times; ) {
    const now = await heard();
    if (performance.now() - begun > PATIENCE) {
      throw new Error(`Not all nodes tell how they are: ${JSON.stringify([[...before], [...now]])}`);
    }
    if (now.size < nodes || [...now].some(([node, time]) => time === before.get(node))) continue;
    before = now;
    reports++;
  }
}

/** What is not as it is in truth; values in SNMP are whole. */
export function wrong(name: string, shown: string | undefined, [least, most]: Range): string[] {
  const value = Number(/^-?\d+/.exec(shown ?? '')?.[0] ?? Number.NaN);
  return value >= Math.floor(least) && value <= Math.ceil(most) ? [] : [`${name} is ${shown}, not ${least} to ${most}`];
}
