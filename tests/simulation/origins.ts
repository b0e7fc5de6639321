/** Which effect of a stanza an entry is: one stanza may put several entries into one journal. */
export const EFFECT = { stanza: 0, carbon: 1, rosterPush: 2, blocklistPush: 3, answer: 4 } as const;

export type Effect = (typeof EFFECT)[keyof typeof EFFECT];

/** What an entry comes of. It is the same for every copy and every retry of it. */
export interface Origin {
  /** The session, or the incarnation of a node, that the stanza came from. */
  readonly stream: string;
  /** The number of the stanza in that stream, from 1. */
  readonly k: number;
  readonly effect: Effect;
  /** Low-water mark: everything below it was committed, with all its effects, when this was sent. */
  readonly low: number;
}

interface Row {
  readonly low: number;
  /** Codes of what the journal has itself had, to some way below the low-water mark. */
  readonly own: readonly number[];
  /** Codes of what the account had had elsewhere, above the low-water mark. */
  readonly elsewhere: readonly number[];
}

const EMPTY: Row = { low: 0, own: [], elsewhere: [] };

/** How origins are told apart; the protocol is `{ effects: true, exact: true, window: 64 }`. */
export interface OriginRules {
  /** Whether the effect is part of the origin. */
  readonly effects: boolean;
  /** Whether each number is remembered, and not just the highest. */
  readonly exact: boolean;
  /** How far below the low-water mark a journal remembers what it has had itself. */
  readonly window: number;
}

/** The origins that a journal, or an account, has had: by stream, exactly, above that stream's low-water mark. */
export class OriginTable {
  readonly #rules: OriginRules;
  readonly #rows: Map<string, Row>;

  constructor(rules: OriginRules, rows: ReadonlyMap<string, Row> = new Map()) {
    this.#rules = rules;
    this.#rows = new Map(rows);
  }

  copy(): OriginTable {
    return new OriginTable(this.#rules, this.#rows);
  }

  #code({ k, effect }: Origin): number {
    return this.#rules.effects ? k * 8 + effect : k * 8;
  }

  /** Whether this has been executed for the account, as far as this table knows. */
  has(origin: Origin): boolean {
    const row = this.#rows.get(origin.stream);
    if (row === undefined) return false;
    const code = this.#code(origin);
    if (!this.#rules.exact) return row.own.some((had) => code <= had) || row.elsewhere.some((had) => code <= had);
    return origin.k < row.low || row.own.includes(code) || row.elsewhere.includes(code);
  }

  /** Whether the journal itself has had exactly this, as far back as it remembers. */
  hasOwn(origin: Origin): boolean {
    return this.#rows.get(origin.stream)?.own.includes(this.#code(origin)) ?? false;
  }

  /** Whether the journal has had this itself, or may have had it too long ago to remember. */
  mayHaveOwn(origin: Origin): boolean {
    const row = this.#rows.get(origin.stream);
    return row !== undefined && (origin.k < row.low - this.#rules.window || row.own.includes(this.#code(origin)));
  }

  /** The journal has this itself. */
  add(origin: Origin): void {
    const row = this.#rows.get(origin.stream) ?? EMPTY;
    this.#put(origin.stream, origin.low, [...row.own, this.#code(origin)], row.elsewhere);
  }

  /** Takes over what another table has had, as had elsewhere. What that one knows of elsewhere is not passed on. */
  learn(other: OriginTable): void {
    for (const [stream, { low, own }] of other.#rows) {
      const row = this.#rows.get(stream) ?? EMPTY;
      this.#put(stream, low, row.own, union(row.elsewhere, own));
    }
  }

  /** Takes over what another table has had, as had here. */
  absorb(other: OriginTable): void {
    for (const [stream, { low, own }] of other.#rows) {
      const row = this.#rows.get(stream) ?? EMPTY;
      this.#put(stream, low, union(row.own, own), row.elsewhere);
    }
  }

  #put(stream: string, newLow: number, own: readonly number[], elsewhere: readonly number[]): void {
    const low = Math.max(newLow, this.#rows.get(stream)?.low ?? 0);
    if (!this.#rules.exact) {
      const highest = (codes: readonly number[]) => (codes.length > 0 ? [Math.max(...codes)] : codes);
      this.#rows.set(stream, { low, own: highest(own), elsewhere: highest(elsewhere) });
      return;
    }
    const window = this.#rules.window;
    this.#rows.set(stream, {
      low,
      own: own.filter((code) => code >= (low - window) * 8),
      elsewhere: elsewhere.filter((code) => code >= low * 8),
    });
  }

  toString(): string {
    const rows = Array.from(this.#rows, ([stream, { low, own, elsewhere }]) => {
      const codes = (list: readonly number[]) => list.map((code) => `${code >> 3}.${code & 7}`).join(' ');
      return `${stream}: below ${low}, own ${codes(own)}, elsewhere ${codes(elsewhere)}`;
    });
    return rows.join('; ');
  }
}

const union = (codes: readonly number[], others: readonly number[]) => [
  ...codes,
  ...others.filter((code) => !codes.includes(code)),
];
