/** How often values fell into fixed buckets. Recording costs a few nanoseconds and allocates nothing. */
export class Histogram {
  /** Upper bounds of the buckets, ascending, each included; what is greater falls into one bucket more. */
  readonly bounds: readonly number[];
  readonly #bounds: Float64Array;
  readonly #counts: Float64Array;
  // In an array as well: a field would be boxed anew whenever its number changes representation.
  readonly #sum = new Float64Array(1);

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#bounds = Float64Array.from(bounds);
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Records one value, in the unit of the metric. NaN is left out: it belongs to no bucket and would spoil the sum. */
  record(value: number): void {
    if (Number.isNaN(value)) return;
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    (this.#counts[bucket] as number)++;
    (this.#sum[0] as number) += value;
  }

  /** Values in each bucket, not cumulated; one more than there are bounds. */
  get counts(): number[] {
    return Array.from(this.#counts);
  }

  get sum(): number {
    return this.#sum[0] as number;
  }
}
