import type { SaxesTagPlain } from 'saxes';
import { Element, type Node } from './element.ts';
import { localPart, NamespaceScope } from './namespace-scope.ts';
import { newParser, type ParserEvents, type PooledParser } from './parser-pool.ts';
import { StreamError } from './stream-error.ts';
import { Utf8Decoder } from './utf8-decoder.ts';

/** What becomes of an element: its children are told one by one, it is told as a whole, or nothing of it is. */
export type Treatment = 'enter' | 'whole' | 'skip';

export interface XmlDocumentHandler {
  /** A start tag; `depth` is 0 for the root. `element` has no children yet. */
  onOpen(element: Element, depth: number, line: number): Treatment;
  /** All of an element that was to be told as a whole; the line is that of its start tag. */
  onElement(element: Element, line: number): void;
  /** Something that was to be told as a whole is more than the limits allow, and is left aside. */
  onTooLarge(element: Element, line: number): void;
  /** The end of an element that was entered. */
  onClose(depth: number, line: number): void;
}

export interface XmlDocumentLimits {
  /** Bytes of what is told as a whole; of one tag or text, which cannot be left aside, four times as many. */
  readonly maxBytes: number;
  /** Elements in what is told as a whole. */
  readonly maxElements: number;
  readonly maxDepth: number;
  /** Attributes of one element. */
  readonly maxAttributes: number;
  /** Characters of a name or a namespace. */
  readonly maxNameLength: number;
}

/** The document cannot be read on from here. */
export class XmlDocumentError extends Error {
  override readonly name = 'XmlDocumentError';
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

interface OpenElement {
  readonly name: string;
  readonly ns: string;
  readonly attributes: readonly string[];
  children: Node[];
  readonly scope: NamespaceScope;
  treatment: Treatment | 'inside';
  readonly line: number;
}

/** Bytes that the parser is given at once: limits are looked at in between. */
const PIECE = 65_536;

/**
 * Bytes of a file of any size to elements, never more of it in memory than the limits say. UTF-8 and XML 1.0 alone, and no
 * document type, so there are no entities but those of XML itself. Comments and processing instructions mean nothing.
 * Dead after the first error.
 */
export class XmlDocument implements ParserEvents {
  readonly #handler: XmlDocumentHandler;
  readonly #limits: XmlDocumentLimits;
  readonly #parser: PooledParser;
  readonly #decoder = new Utf8Decoder();
  readonly #open: OpenElement[] = [];
  #dead = false;
  #ended = false;
  /** Bytes since something was told, or a tag was skipped. */
  #held = 0;
  #elements = 0;
  #attributes = 0;
  #expansion = 0;

  constructor(handler: XmlDocumentHandler, limits: XmlDocumentLimits) {
    this.#handler = handler;
    this.#limits = limits;
    this.#parser = newParser(this);
  }

  /** Throws an XmlDocumentError once, and does nothing afterwards. */
  write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += PIECE) {
      const piece = bytes.subarray(at, at + PIECE);
      this.#attempt(() => {
        this.#held += piece.length;
        this.#parser.write(this.#decoder.decode(piece));
        if (this.#decoder.broken) throw new StreamError('not-well-formed', 'This is not UTF-8.');
        if (this.#held > 4 * this.#limits.maxBytes) this.#tooMuch('maxBytes', 'bytes in one piece, and far more');
      });
    }
  }

  /** The file ends here. */
  end(): void {
    this.#attempt(() => {
      if (!this.#ended) throw new StreamError('not-well-formed', 'The file ends before its last element does.');
    });
  }

  #attempt(work: () => void): void {
    if (this.#dead) return;
    try {
      work();
    } catch (error) {
      this.#dead = true;
      if (!(error instanceof StreamError)) throw error;
      throw new XmlDocumentError(this.#parser.line, error.text ?? error.condition);
    }
  }

  #tooMuch(limit: keyof XmlDocumentLimits, what: string): never {
    throw new StreamError('policy-violation', `More than ${this.#limits[limit]} ${what}.`);
  }

  // --- what the parser tells -------------------------------------------------------------------------------------

  onTagStart(): void {
    this.#attributes = 0;
    if (this.#open.length > this.#limits.maxDepth) this.#tooMuch('maxDepth', 'levels of elements');
  }

  onAttribute(name: string, value: string): void {
    if (++this.#attributes > this.#limits.maxAttributes) this.#tooMuch('maxAttributes', 'attributes of one element');
    const most = this.#limits.maxNameLength;
    if (name.length > most || (name.startsWith('xmlns') && value.length > most)) {
      this.#tooMuch('maxNameLength', 'characters of a name');
    }
  }

  onOpenTag(tag: SaxesTagPlain): void {
    if (tag.name.length > this.#limits.maxNameLength) this.#tooMuch('maxNameLength', 'characters of a name');
    const outer = this.#open.at(-1);
    const scope = (outer?.scope ?? NamespaceScope.root).enter(tag.attributes);
    const colon = tag.name.indexOf(':');
    const name = colon === -1 ? tag.name : localPart(tag.name, colon);
    const ns = colon === -1 ? scope.defaultNs : scope.resolve(tag.name.slice(0, colon));
    const attributes = scope.attributes(tag.attributes);
    const { line } = this.#parser;
    const treatment = this.#treatmentOf(new Element(name, ns, attributes), outer?.treatment, line);
    this.#expand(colon === -1 ? 0 : ns.length, attributes);
    this.#open.push({ name, ns, attributes, children: [], scope, treatment, line });
  }

  #treatmentOf(element: Element, outer: OpenElement['treatment'] | undefined, line: number): OpenElement['treatment'] {
    if (outer === 'skip') {
      this.#held = 0;
      return 'skip';
    }
    if (outer === 'whole' || outer === 'inside') {
      this.#elements++;
      return this.#isTooLarge() ? 'skip' : 'inside';
    }
    this.#held = 0;
    this.#elements = 1;
    this.#expansion = 0;
    return this.#handler.onOpen(element, this.#open.length, line);
  }

  /** What is told as a whole has become too large: nothing of it is kept from here on. */
  #isTooLarge(): boolean {
    const { maxBytes, maxElements } = this.#limits;
    if (this.#held <= maxBytes && this.#elements <= maxElements && this.#expansion <= maxBytes) return false;
    const first = this.#open.findIndex(({ treatment }) => treatment === 'whole');
    const whole = this.#open[first] as OpenElement;
    for (const open of this.#open.slice(first)) {
      open.treatment = 'skip';
      open.children = [];
    }
    this.#held = 0;
    this.#handler.onTooLarge(new Element(whole.name, whole.ns, whole.attributes), whole.line);
    return true;
  }

  /** Names with a prefix are written out with their namespace each time: few bytes must not become many. */
  #expand(ofName: number, attributes: readonly string[]): void {
    this.#expansion += ofName;
    for (let i = 0; i < attributes.length; i += 2) {
      const name = attributes[i] as string;
      if (name.startsWith('{')) this.#expansion += name.length;
    }
  }

  onCloseTag(): void {
    const open = this.#open.pop() as OpenElement;
    const { name, ns, attributes, children, treatment, line } = open;
    if (this.#open.length === 0) this.#ended = true;
    if (treatment === 'enter') {
      this.#held = 0;
      this.#handler.onClose(this.#open.length, this.#parser.line);
    } else if (treatment === 'skip') {
      this.#held = 0;
    } else if (treatment === 'whole') {
      this.#held = 0;
      this.#handler.onElement(new Element(name, ns, attributes, children), line);
    } else {
      (this.#open.at(-1) as OpenElement).children.push(new Element(name, ns, attributes, children));
    }
  }

  onText(text: string): void {
    const open = this.#open.at(-1);
    if (open?.treatment !== 'whole' && open?.treatment !== 'inside') return;
    if (this.#isTooLarge()) return;
    const { children } = open;
    const last = children.length - 1;
    const before = children[last];
    if (typeof before === 'string') children[last] = before + text;
    else children.push(text);
  }

  onCdata(text: string): void {
    if (text !== '') this.onText(text);
  }

  onRestricted(what: string): void {
    if (what.startsWith('Document type')) throw new StreamError('restricted-xml', `${what} are not read.`);
  }

  onError(message: string): void {
    throw new StreamError('not-well-formed', `This is not well-formed XML: ${message.replace(/[.:].*/s, '')}.`);
  }
}
