import { admit } from './admission.ts';
import type { Entry, Header, Journal } from './journal.ts';
import type { OriginTable } from './origins.ts';
import type { Rules } from './rules.ts';

export interface MirrorEntry {
  readonly index: number;
  readonly entry: Entry;
  acked: boolean;
  /** The outbound number that it was sent with; 0 while it was not. */
  number: number;
}

/** How many entries one checkpoint trims at most. */
const TRIM = 3;

/** What the owner of a session remembers of the journal: the header as it was written, and the entries in order. */
export class Mirror {
  readonly #rules: Rules;
  #header: Header;
  #entries: MirrorEntry[] = [];
  #next: number;
  readonly #known = new Set<number>();
  /** Origins to the end of the journal. */
  readonly #origins: OriginTable;

  /** @param h how many stanzas the client says that it has received */
  constructor({ header, entries }: Journal, h: number, rules: Rules) {
    this.#rules = rules;
    this.#header = header;
    this.#origins = header.origins.copy();
    const assigned = new Map(header.assigned);
    let fastNumber = header.fast?.number ?? 0;
    let index = header.base;
    for (const entry of entries) {
      index++;
      const admitted = admit(this.#origins, entry, rules);
      let acked = !admitted;
      const number = assigned.get(index);
      if (rules.ackedPrefixInHeader && index <= header.acked) acked = true;
      else if (number !== undefined) acked = number <= h;
      else if (admitted && header.fast !== undefined && index > header.fast.index) acked = ++fastNumber <= h;
      this.#entries.push({ index, entry, acked, number: 0 });
      this.#known.add(entry.eid);
    }
    this.#next = index + 1;
  }

  get header(): Header {
    return this.#header;
  }

  get origins(): OriginTable {
    return this.#origins;
  }

  get entries(): readonly Entry[] {
    return this.#entries.map(({ entry }) => entry);
  }

  /** The index of the last entry. */
  get last(): number {
    return this.#next - 1;
  }

  /** Entries that the client has not acknowledged and that have no number, in order. */
  unassigned(): MirrorEntry[] {
    return this.#entries.filter(({ acked, number }) => !acked && number === 0);
  }

  /** The next entry of the journal. @returns it, where it is for the client */
  accept(entry: Entry): MirrorEntry | undefined {
    if (this.#known.has(entry.eid)) return undefined;
    this.#known.add(entry.eid);
    const admitted = admit(this.#origins, entry, this.#rules);
    const mirrored = { index: this.#next++, entry, acked: !admitted, number: 0 };
    this.#entries.push(mirrored);
    return admitted ? mirrored : undefined;
  }

  /** The client has received everything up to this number. */
  acknowledge(h: number): void {
    for (const mirrored of this.#entries) if (mirrored.number > 0 && mirrored.number <= h) mirrored.acked = true;
  }

  /** The next header, and how many entries it trims. */
  checkpoint(
    planned: readonly (readonly [number, number])[],
    fast: Header['fast'],
    handled: number,
  ): { header: Header; trimmed: number } {
    let trimmed = 0;
    while (trimmed < TRIM && this.#entries[trimmed]?.acked) trimmed++;
    let { origins } = this.#header;
    if (trimmed > 0) {
      origins = origins.copy();
      for (let at = 0; at < trimmed; at++) admit(origins, (this.#entries[at] as MirrorEntry).entry, this.#rules);
    }
    return { header: this.#headerAfter(trimmed, origins, planned, fast, handled), trimmed };
  }

  /** The header for whoever owns the session next: all that is known, nothing trimmed. */
  finalHeader(handled: number): Header {
    return this.#headerAfter(0, this.#header.origins, [], undefined, handled);
  }

  /** How far the client has acknowledged. */
  get acked(): number {
    return this.#ackedFrom(0);
  }

  #ackedFrom(trimmed: number): number {
    let acked = this.#header.base + trimmed;
    for (let at = trimmed; this.#entries[at]?.acked; at++) acked = (this.#entries[at] as MirrorEntry).index;
    return acked;
  }

  #headerAfter(
    trimmed: number,
    origins: OriginTable,
    planned: readonly (readonly [number, number])[],
    fast: Header['fast'],
    handled: number,
  ): Header {
    const assigned: (readonly [number, number])[] = [];
    if (this.#rules.assignBeforeSend) {
      for (let at = trimmed; at < this.#entries.length; at++) {
        const { index, number } = this.#entries[at] as MirrorEntry;
        if (number > 0) assigned.push([index, number]);
      }
      assigned.push(...planned);
    }
    return { base: this.#header.base + trimmed, acked: this.#ackedFrom(trimmed), assigned, fast, handled, origins };
  }

  /** The header was written. */
  written(header: Header, trimmed: number): void {
    this.#header = header;
    for (const { entry } of this.#entries.splice(0, trimmed)) this.#known.delete(entry.eid);
  }

  /** The journal was read again: what is known of its entries stays known. */
  merge({ header, entries }: Journal): void {
    const known = new Map(this.#entries.map((mirrored) => [mirrored.entry.eid, mirrored]));
    this.#known.clear();
    let index = header.base;
    this.#entries = entries.map((entry) => {
      index++;
      this.#known.add(entry.eid);
      const mirrored = known.get(entry.eid);
      if (mirrored !== undefined) return { ...mirrored, index };
      return { index, entry, acked: !admit(this.#origins, entry, this.#rules), number: 0 };
    });
    this.#header = header;
    this.#next = index + 1;
  }
}
