/** The values a label may have: a fixed list, or `'open'` for what only the running node knows (bounded in number). */
export type LabelValues = readonly [string, ...string[]] | 'open';
export type Labels = Readonly<Record<string, LabelValues>>;

export type Kind = 'counter' | 'gauge' | 'histogram';

/** How the values of several nodes make one; counters and histograms always add up. */
export type Combination = 'sum' | 'max' | 'min';

/** Units as OpenTelemetry writes them (UCUM); words in braces only say what is counted. */
export type Unit = 's' | 'd' | 'By' | '1' | `{${string}}`;

/** All there is to know about one metric. */
export interface Definition<K extends Kind = Kind, L extends Labels = Labels> {
  /** Dotted, as in OpenTelemetry; without unit and without `total`. */
  readonly name: string;
  readonly kind: K;
  readonly unit: Unit;
  readonly help: string;
  readonly labels: L;
  readonly combine: Combination;
  /** Upper bounds of a histogram's buckets. Another set of bounds needs another name. */
  readonly bounds: readonly number[];
}

interface About<L extends Labels> {
  name: string;
  unit: Unit;
  help: string;
  labels?: L;
}

// biome-ignore lint/complexity/noBannedTypes: `{}` is the set of no labels here.
type None = {};

export const counter = <const L extends Labels = None>(about: About<L>): Definition<'counter', L> => ({
  labels: {} as L,
  ...about,
  kind: 'counter',
  combine: 'sum',
  bounds: [],
});

export const gauge = <const L extends Labels = None>(
  about: About<L> & { combine: Combination },
): Definition<'gauge', L> => ({ labels: {} as L, ...about, kind: 'gauge', bounds: [] });

export const histogram = <const L extends Labels = None>(
  about: About<L> & { bounds: readonly number[] },
): Definition<'histogram', L> => ({ labels: {} as L, ...about, kind: 'histogram', combine: 'sum' });
