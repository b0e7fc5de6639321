import type { Stanza } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';

export interface HeldLimits {
  readonly maxStanzas: number;
  /** Characters of all stanzas together, about as many bytes. */
  readonly maxBytes: number;
}

/** Stanzas that wait for a client, the last of each key. */
export class HeldStanzas {
  /** Text alone, since a stanza keeps much more alive than itself. */
  readonly #texts = new Map<string, string>();
  #size = 0;

  /** False where there is no room for it. */
  add(key: string, stanza: Stanza, { maxStanzas, maxBytes }: HeldLimits): boolean {
    const before = this.#texts.get(key);
    const text = Buffer.from(stanza.toString()).toString();
    const size = this.#size + text.length - (before?.length ?? 0);
    if (size > maxBytes || (before === undefined && this.#texts.size >= maxStanzas)) return false;
    this.#texts.delete(key); // it moves to the end
    this.#texts.set(key, text);
    this.#size = size;
    return true;
  }

  /** All of them, in the order in which they came, which leaves none. */
  take(): Stanza[] {
    const stanzas = [...this.#texts.values()].map((text) => stanzaFromText(Buffer.from(text)));
    this.#texts.clear();
    this.#size = 0;
    return stanzas;
  }
}
