import type { Rules } from './rules.ts';
import type { Stanza } from './stanza.ts';

export interface InboundStanza {
  readonly k: number;
  readonly stanza: Stanza;
  /** Effects that are not committed yet. */
  open: number;
  carbonSent: boolean;
}

/** What came from the client, until the journal's header says that it was handled. */
export class Inbound {
  readonly #rules: Rules;
  readonly #stanzas: InboundStanza[] = [];
  #received: number;
  #persisted: number;

  constructor(handled: number, rules: Rules) {
    this.#rules = rules;
    this.#received = handled;
    this.#persisted = handled;
  }

  /** Handled, by the header. */
  get persisted(): number {
    return this.#persisted;
  }

  /** Up to here all effects of all stanzas are committed. */
  get handled(): number {
    if (!this.#rules.commitBeforeAck) return this.#received;
    let handled = this.#persisted;
    for (const { open } of this.#stanzas) {
      if (open > 0) break;
      handled++;
    }
    return handled;
  }

  /** What lies below this will never be sent again. */
  get low(): number {
    return this.#persisted + 1;
  }

  get unpersisted(): readonly InboundStanza[] {
    return this.#stanzas;
  }

  take(stanza: Stanza): InboundStanza {
    const inbound = { k: ++this.#received, stanza, open: 0, carbonSent: false };
    this.#stanzas.push(inbound);
    return inbound;
  }

  persist(handled: number): void {
    while (this.#persisted < handled) {
      this.#persisted++;
      this.#stanzas.shift();
    }
  }
}
