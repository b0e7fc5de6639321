import type { Stanza } from '@parley/xmpp/stanza';

/** What waits for a stream to one domain, oldest first. Another implementation may keep it longer than a process lives. */
export interface WaitingStanzas {
  readonly size: number;
  readonly bytes: number;
  /** `until`: when nobody waits for it any more. */
  add(stanza: Stanza, until: number): void;
  /** Puts back what had been taken, before everything else. */
  putBack(stanzas: readonly Stanza[], until: number): void;
  take(): Stanza | undefined;
  /** Takes those whose time is over at `now`. */
  takeLate(now: number): Stanza[];
  takeAll(): Stanza[];
}

interface Waiting {
  readonly stanza: Stanza;
  readonly bytes: number;
  readonly until: number;
}

/** About what a stanza takes in memory. */
export const weight = (stanza: Stanza): number => stanza.toString().length + 200;

/** What waits in several places together. */
export interface Together {
  bytes: number;
  stanzas: number;
}

/** In the memory of the process. */
export class StanzasInMemory implements WaitingStanzas {
  readonly #together: Together;
  #list: Waiting[] = [];
  #bytes = 0;

  constructor(together: Together) {
    this.#together = together;
  }

  get size(): number {
    return this.#list.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(stanza: Stanza, until: number): void {
    const bytes = weight(stanza);
    this.#list.push({ stanza, bytes, until });
    this.#count(1, bytes);
  }

  putBack(stanzas: readonly Stanza[], until: number): void {
    const front = stanzas.map((stanza) => ({ stanza, bytes: weight(stanza), until }));
    this.#list.unshift(...front);
    for (const { bytes } of front) this.#count(1, bytes);
  }

  take(): Stanza | undefined {
    const first = this.#list.shift();
    if (first !== undefined) this.#count(-1, -first.bytes);
    return first?.stanza;
  }

  takeLate(now: number): Stanza[] {
    return this.#takeWhere(({ until }) => until <= now);
  }

  takeAll(): Stanza[] {
    return this.#takeWhere(() => true);
  }

  #takeWhere(goes: (waiting: Waiting) => boolean): Stanza[] {
    if (!this.#list.some(goes)) return [];
    const taken = this.#list.filter(goes);
    this.#list = this.#list.filter((waiting) => !goes(waiting));
    for (const { bytes } of taken) this.#count(-1, -bytes);
    return taken.map(({ stanza }) => stanza);
  }

  #count(stanzas: number, bytes: number): void {
    this.#bytes += bytes;
    this.#together.bytes += bytes;
    this.#together.stanzas += stanzas;
  }
}
