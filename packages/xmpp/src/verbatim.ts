import { Element } from './element.ts';

/**
 * An element that stands for stored text, which goes out as it is. The text is what `Element.toString()` gave without
 * a context: well-formed, with its namespace declared and no prefix from outside. Attributes and children cannot be
 * asked for; whoever needs them parses the text.
 */
export class Verbatim extends Element {
  readonly #text: string;

  constructor(name: string, ns: string, text: string) {
    super(name, ns);
    this.#text = text;
  }

  override toString(): string {
    return this.#text;
  }
}
