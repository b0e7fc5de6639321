import type { SaxesTagPlain } from 'saxes';
import { Element, type Node } from './element.ts';
import { localPart, NamespaceScope } from './namespace-scope.ts';
import { NS } from './namespaces.ts';
import {
  borrowParser,
  COMMON_ROOT,
  newParser,
  type ParserEvents,
  type PooledParser,
  returnParser,
} from './parser-pool.ts';
import { quickElement, quickEnd, quickRanOut } from './quick-element.ts';
import { quickRoot, quickRootEnd } from './quick-root.ts';
import { StreamError } from './stream-error.ts';
import { Utf8Decoder } from './utf8-decoder.ts';
import type { XmlHandler } from './xml-handler.ts';
import { XmlLimitError, type XmlLimits } from './xml-limits.ts';
import { endTagName, leadingWhiteSpace, possibleEnd } from './xml-text.ts';

interface OpenElement {
  readonly name: string;
  readonly ns: string;
  readonly attributes: readonly string[];
  readonly children: Node[];
  readonly scope: NamespaceScope;
}

interface Event {
  readonly type: 'open' | 'element' | 'close';
  readonly element?: Element;
  /** Position behind the event in the text that was received since the last one. */
  readonly end: number;
}

const NO_CHILDREN: readonly Node[] = [];

/** A chunk is given to a parser in so many pieces at most. */
const MOST_PIECES = 32;

/** Has the parser look at nothing behind the root's end. */
const OVER = Symbol('over');
const isOver = () => new StreamError('not-well-formed', 'The stream is over.');

/**
 * Bytes of one XML stream to elements, by the rules of RFC 6120 §11: UTF-8, XML 1.0, nothing of restricted XML, all
 * within limits. saxes judges well-formedness. A chunk is parsed to its end before anything of it is handed on, so a
 * handler never runs inside the parser. Dead after the first error.
 */
export class XmlReader implements ParserEvents {
  readonly #handler: XmlHandler;
  #limits: XmlLimits;
  /** Undefined between elements, where the parser serves other streams, and where none was needed. */
  #parser: PooledParser | undefined;
  #began = false;
  /** The root's tag is the common one, so that parsers may be shared. */
  #shares = false;
  /** Nothing of this stream is left in the parser when it is between two elements. */
  #returnable = false;
  readonly #decoder = new Utf8Decoder();
  readonly #open: OpenElement[] = [];
  #events: Event[] = [];
  #dead = false;

  /** Text since the end of the last first-level element, and where in the parser's count of characters it begins. */
  #pending = '';
  #pendingAt = 0;
  #pendingBytes = 0;
  /** It begins with a plain element that has no end yet, which no parser has seen. */
  #unparsed = false;

  // what is known of the first-level element that is open
  #elementName = '';
  #elementCount = 0;
  #attributeCount = 0;
  /** Characters of the namespaces that prefixes stand for. */
  #expansion = 0;
  /** Where its content begins, in the parser's count of characters. */
  #innerAt = 0;
  #relayable = true;
  #contentNs = '';
  readonly #outerScope: NamespaceScope;

  /** Between servers, elements of jabber:server are handed on as elements of jabber:client. */
  constructor(handler: XmlHandler, limits: XmlLimits, betweenServers = false) {
    this.#handler = handler;
    this.#limits = limits;
    this.#outerScope = betweenServers ? NamespaceScope.betweenServers : NamespaceScope.root;
  }

  /** Bytes held for an element that is not complete yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  set limits(limits: XmlLimits) {
    this.#limits = limits;
  }

  /** Nothing of a further element has arrived. */
  get idle(): boolean {
    return leadingWhiteSpace(this.#pending) === this.#pending.length && this.#events.length === 0;
  }

  /** Drops what was received and not handed on, and all that comes. */
  stop(): void {
    this.#dead = true;
    this.#events = [];
    this.#pending = '';
  }

  /** Takes bytes as they arrive. Throws a StreamError once; does nothing afterwards. */
  write(bytes: Buffer): void {
    let offset = 0;
    while (offset < bytes.length && !this.#dead) {
      const room = this.#limits.maxBytes - this.#pendingBytes;
      if (room <= 0) this.#die(new XmlLimitError('maxBytes', `More than ${this.#limits.maxBytes} bytes.`));
      const piece = bytes.length - offset <= room && offset === 0 ? bytes : bytes.subarray(offset, offset + room);
      offset += piece.length;
      this.#read(piece);
    }
  }

  #read(bytes: Buffer): void {
    let failure: unknown;
    try {
      this.#parse(this.#decoder.decode(bytes), bytes.length);
      if (this.#decoder.broken) throw new StreamError('not-well-formed', 'The stream is not UTF-8.');
    } catch (error) {
      failure = error;
    }
    try {
      this.#handOn();
    } catch (error) {
      this.#die(error);
    }
    if (failure !== undefined && !this.#dead) this.#die(failure);
  }

  #parse(text: string, bytes: number): void {
    // White space between elements keeps a connection alive (RFC 6120 §4.6.1) and means nothing: neither does the
    // parser get it, which would collect it, nor does it count.
    const over = this.#began && this.#open.length === 0;
    const skipped = (over || this.#open.length === 1) && this.#pending === '' ? leadingWhiteSpace(text) : 0;
    this.#pendingBytes += bytes - skipped;
    if (skipped === text.length) return;
    if (over && this.#parser === undefined) throw isOver();
    let at = this.#parser === undefined ? 0 : this.#pending.length;
    this.#pending += skipped === 0 ? text : text.slice(skipped);
    for (let pieces = 1; at < this.#pending.length; pieces++) {
      if (this.#parser !== undefined) at = this.#feed(this.#parser, at, pieces < MOST_PIECES);
      else if (!this.#began) at = this.#begin();
      else at = this.#readQuickly(at);
    }
  }

  /** What comes first: a plain start tag of the root needs no parser. Answers how far it was taken. */
  #begin(): number {
    this.#began = true;
    const root = quickRoot(this.#pending);
    if (root === undefined) {
      this.#parser = newParser(this);
      return 0;
    }
    this.onTagStart();
    for (const name in root.attributes) this.onAttribute(name, root.attributes[name] as string);
    this.onOpenTag({ name: COMMON_ROOT, attributes: root.attributes, isSelfClosing: false }, root.end);
    return root.end;
  }

  /**
   * Takes the complete, plain elements that stand here in what is pending, and answers how far. The last one may wait for
   * its end, once; what else is no such element is for a parser.
   */
  #readQuickly(from: number): number {
    const text = this.#pending;
    const { defaultNs } = (this.#open[0] as OpenElement).scope;
    let at = from + leadingWhiteSpace(text, from);
    while (at < text.length) {
      const over = this.#shares ? quickRootEnd(text, at) : undefined;
      if (over !== undefined) {
        this.#open.pop();
        return this.#finish(over);
      }
      const element = quickElement(text, at, defaultNs, this.#limits);
      if (element === undefined) {
        this.#unparsed = !this.#unparsed && quickRanOut();
        if (this.#unparsed) return text.length;
        this.#parser = borrowParser(this);
        this.#pendingAt = this.#parser.consumed - at;
        return at;
      }
      this.#unparsed = false;
      const end = quickEnd();
      this.#events.push({ type: 'element', element, end });
      at = end + leadingWhiteSpace(text, end);
    }
    return at;
  }

  /** Gives the parser what is pending from here on, or only what may be the rest of an element: behind it none is needed. */
  #feed(parser: PooledParser, from: number, inPieces: boolean): number {
    const open = this.#open.length > 1 ? this.#elementName : undefined;
    const end = inPieces && this.#shares ? possibleEnd(this.#pending, from, open) : this.#pending.length;
    this.#returnable = false; // a parser that has thrown is of no more use
    try {
      parser.write(this.#pending.slice(from, end));
    } catch (error) {
      if (error !== OVER) throw error;
      return this.#finish(parser.position - this.#pendingAt);
    }
    // saxes keeps a carriage return at the end for itself, to see what follows
    this.#returnable = this.#shares && this.#pending.charCodeAt(end - 1) !== 13;
    const last = this.#events.at(-1);
    if (this.#returnable && last?.type === 'element' && last.end === end) this.#return(parser);
    return end;
  }

  /** The root ends here: what follows is white space, or wrong, however it was cut into pieces. */
  #finish(end: number): number {
    this.#parser = undefined;
    this.#events.push({ type: 'close', end });
    if (end + leadingWhiteSpace(this.#pending, end) < this.#pending.length) throw isOver();
    this.#pending = this.#pending.slice(0, end);
    return end;
  }

  #return(parser: PooledParser): void {
    returnParser(parser);
    this.#parser = undefined;
  }

  #handOn(): void {
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    const text = this.#pending;
    let end = 0;
    for (const event of events) {
      end = event.end;
      this.#pending = text.slice(end);
      if (event.type === 'element') this.#handler.onElement(event.element as Element);
      else if (event.type === 'open') this.#handler.onStreamOpen(event.element as Element, this.#contentNs);
      else this.#handler.onStreamClose();
      if (this.#dead) return;
    }
    this.#pendingAt += end;
    if (this.#open.length > 0) {
      const skipped = leadingWhiteSpace(this.#pending);
      this.#pendingAt += skipped;
      if (skipped > 0) this.#pending = this.#pending.slice(skipped);
      if (this.#pending === '' && this.#returnable && this.#parser !== undefined) this.#return(this.#parser);
    }
    this.#pendingBytes = Buffer.byteLength(this.#pending) + this.#decoder.held;
  }

  #die(error: unknown): never {
    this.stop();
    throw error;
  }

  // --- what the parser tells -------------------------------------------------------------------------------------

  onTagStart(): void {
    if (this.#open.length === 1) {
      this.#elementCount = 0;
      this.#expansion = 0;
      this.#relayable = true;
    }
    this.#attributeCount = 0;
    if (this.#open.length > this.#limits.maxDepth)
      throw new XmlLimitError('maxDepth', `More than ${this.#limits.maxDepth} levels.`);
    if (++this.#elementCount > this.#limits.maxElements) {
      throw new XmlLimitError('maxElements', `More than ${this.#limits.maxElements} elements.`);
    }
  }

  onAttribute(name: string, value: string): void {
    if (++this.#attributeCount > this.#limits.maxAttributes) {
      throw new XmlLimitError('maxAttributes', `More than ${this.#limits.maxAttributes} attributes.`);
    }
    if (name.length > this.#limits.maxNameLength) throw new XmlLimitError('maxNameLength', 'A name is too long.');
    if (name.startsWith('xmlns') && value.length > this.#limits.maxNameLength)
      throw new XmlLimitError('maxNameLength', 'A namespace is too long.');
    // the text would not mean the same in a stream to a client
    if (value === NS.server && this.#open.length > 1) this.#relayable = false;
  }

  onOpenTag(tag: SaxesTagPlain, end?: number): void {
    if (tag.name.length > this.#limits.maxNameLength) throw new XmlLimitError('maxNameLength', 'A name is too long.');
    const depth = this.#open.length;
    const parent = this.#open[depth - 1];
    const scope = (parent?.scope ?? this.#outerScope).enter(tag.attributes);
    const colon = tag.name.indexOf(':');
    const attributes = scope.attributes(tag.attributes);
    const element: OpenElement = {
      name: colon === -1 ? tag.name : localPart(tag.name, colon),
      ns: colon === -1 ? scope.defaultNs : scope.resolve(tag.name.slice(0, colon)),
      attributes,
      children: [],
      scope,
    };
    if (depth >= 1) this.#checkRelay(element, colon, depth, parent as OpenElement);
    this.#open.push(element);
    if (depth === 0) {
      this.#shares = tag.name === COMMON_ROOT;
      this.#contentNs = tag.attributes.xmlns ?? '';
      this.#event('open', new Element(element.name, element.ns, attributes), end);
    } else if (depth === 1) {
      this.#elementName = tag.name;
      this.#innerAt = this.#position;
    }
  }

  /**
   * An element's text may be relayed as it came only where it means the same behind another start tag: no prefix but
   * xml, the content namespace as the default both outside and on the element, no CDATA.
   */
  #checkRelay(element: OpenElement, colon: number, depth: number, parent: OpenElement): void {
    let expansion = colon === -1 ? 0 : element.ns.length;
    const { attributes } = element;
    for (let i = 0; i < attributes.length; i += 2) {
      const name = attributes[i] as string;
      if (name.charCodeAt(0) === 123) expansion += name.length;
    }
    if (expansion > 0) {
      this.#relayable = false;
      // Such names are written out with their namespace each time: few bytes must not become many.
      this.#expansion += expansion;
      if (this.#expansion > this.#limits.maxBytes) throw new XmlLimitError('maxBytes', 'Prefixes stand for too much.');
    }
    // a start tag that repeats the stream's namespace declares nothing new; any other declaration must not get lost
    if (depth === 1 && (parent.scope !== element.scope || element.ns !== parent.scope.defaultNs)) {
      this.#relayable = false;
    }
  }

  onCloseTag(tag: SaxesTagPlain): void {
    const element = this.#open.pop() as OpenElement;
    const depth = this.#open.length;
    const children = element.children.length === 0 ? NO_CHILDREN : element.children;
    if (depth > 1) {
      (this.#open[depth - 1] as OpenElement).children.push(
        new Element(element.name, element.ns, element.attributes, children),
      );
      return;
    }
    const end = this.#position - this.#pendingAt;
    // saxes reports the element before it notices that the end tag has another name
    if (!tag.isSelfClosing && endTagName(this.#pending, end) !== tag.name) {
      throw new StreamError('not-well-formed', 'An end tag closes another element.');
    }
    if (depth === 0) throw OVER;
    const source = this.#relayable
      ? tag.isSelfClosing
        ? ''
        : this.#pending.slice(this.#innerAt - this.#pendingAt, end)
      : undefined;
    this.#event('element', new Element(element.name, element.ns, element.attributes, children, source));
  }

  onText(text: string): void {
    const depth = this.#open.length;
    if (depth > 1) {
      const { children } = this.#open[depth - 1] as OpenElement;
      const last = children.length - 1;
      const before = children[last];
      if (typeof before === 'string') children[last] = before + text;
      else children.push(text);
    } else if (leadingWhiteSpace(text) < text.length) {
      // RFC 6120 §4.9.3.1 and §11.7: character data between first-level elements is white space
      if (depth === 1) throw new StreamError('bad-format', 'Text stands between stanzas.');
      throw new StreamError('not-well-formed', 'Text stands outside of the stream.');
    }
  }

  onCdata(text: string): void {
    this.#relayable = false;
    if (text !== '') this.onText(text);
  }

  onRestricted(what: string): void {
    throw new StreamError('restricted-xml', `${what} are not allowed.`); // RFC 6120 §11.1
  }

  onError(message: string): void {
    // What saxes says behind a colon is what came, perhaps a password in the wrong place: that is not for the log.
    throw new StreamError('not-well-formed', message.replace(/:.*/s, '.'));
  }

  /** In the parser's count of characters. */
  get #position(): number {
    return this.#parser?.position ?? 0;
  }

  #event(type: Event['type'], element: Element, end = this.#position - this.#pendingAt): void {
    this.#events.push({ type, element, end });
  }
}
