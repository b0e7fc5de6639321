/** How long clients were away, by what took their connections. */
export class ResumeTimes {
  readonly #sinceLost = new Map<string, number[]>();
  readonly #sinceAsked: number[] = [];
  /** How often a session could not be resumed. */
  failed = 0;

  add(cause: string, sinceLost: number, sinceAsked: number): void {
    this.#sinceLost.getOrInsertComputed(cause, () => []).push(sinceLost);
    this.#sinceAsked.push(sinceAsked);
  }

  /** Milliseconds from losing a connection to having the session again; `answer`: from asking for it. */
  figures() {
    const causes = [...this.#sinceLost].map(([cause, times]) => [cause, percentiles(times)] as const);
    return { ...Object.fromEntries(causes), answer: percentiles(this.#sinceAsked) };
  }
}

export interface Percentiles {
  readonly count: number;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  readonly most: number | undefined;
}

/** Of milliseconds, rounded. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.map((value) => Math.round(value * 10) / 10).sort((one, other) => one - other);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), most: sorted.at(-1) };
}
