import { Element, type Node, serializeAttributes, serializeNodes } from './element.ts';
import { escapeAttribute } from './escape.ts';
import { Jid } from './jid.ts';
import { NS } from './namespaces.ts';
import { StanzaError } from './stanza-error.ts';

export type StanzaKind = 'message' | 'presence' | 'iq';

/** Where a stanza entered: the sender's session and the number that the stanza had in it. Never on the wire. */
export interface Origin {
  readonly sid: string;
  /** Inbound stanzas of that session up to and with this one, modulo 2^32. */
  readonly k: number;
  /** What the stanza brought about: 0 the stanza itself, 1 a carbon copy of it, 2 the stanza out of the offline storage. */
  readonly effect: number;
  /** The stanza reached its recipient long after that was chosen, so that others may have come since then. */
  readonly late?: boolean;
}

/** Children that are read when somebody asks for them. */
export class LateChildren {
  #nodes: readonly Node[] | undefined;
  readonly #read: () => readonly Node[];

  constructor(read: () => readonly Node[]) {
    this.#read = read;
  }

  get nodes(): readonly Node[] {
    this.#nodes ??= this.#read();
    return this.#nodes;
  }
}

/** What a stanza holds beside `to`: shared by all copies that differ only in the recipient. */
interface Content {
  readonly from: Jid | undefined;
  readonly id: string | undefined;
  readonly type: string | undefined;
  /** Attributes other than to, from, id and type, in the form of `Element.attributes`. */
  readonly others: readonly string[];
  /** Those that are late come with `source`. */
  readonly children: readonly Node[] | LateChildren;
  readonly source: string | undefined;
  readonly origin?: Origin | undefined;
  /** Everything behind the recipient, serialised once. */
  tail?: string;
}

/** What is known of a stanza: set by the class itself, whose secret it is. */
let contentOf: (stanza: Stanza) => Content;

/** Content of which only the text is known, until somebody asks for more. */
class LateContent implements Content {
  readonly tail: string;
  readonly origin: Origin | undefined;
  readonly #read: () => Stanza;
  #known: Content | undefined;

  constructor(tail: string, origin: Origin | undefined, read: () => Stanza) {
    this.tail = tail;
    this.origin = origin;
    this.#read = read;
  }

  get #all(): Content {
    this.#known ??= contentOf(this.#read());
    return this.#known;
  }

  get from() {
    return this.#all.from;
  }

  get id() {
    return this.#all.id;
  }

  get type() {
    return this.#all.type;
  }

  get others() {
    return this.#all.others;
  }

  get children() {
    return this.#all.children;
  }

  get source() {
    return this.#all.source;
  }
}

export interface StanzaChange {
  to?: Jid | undefined;
  from?: Jid | undefined;
  id?: string | undefined;
  type?: string | undefined;
  children?: readonly Node[];
}

/** A message, presence or iq: a typed view on an element, made once and never changed. */
export abstract class Stanza {
  abstract readonly kind: StanzaKind;
  readonly to: Jid | undefined;
  readonly #content: Content;

  static {
    contentOf = (stanza) => stanza.#content;
  }

  constructor(to: Jid | undefined, content: Content) {
    this.to = to;
    this.#content = content;
  }

  get from(): Jid | undefined {
    return this.#content.from;
  }

  get id(): string | undefined {
    return this.#content.id;
  }

  get type(): string | undefined {
    return this.#content.type;
  }

  get origin(): Origin | undefined {
    return this.#content.origin;
  }

  get children(): readonly Node[] {
    const { children } = this.#content;
    return children instanceof LateChildren ? children.nodes : children;
  }

  get lang(): string | undefined {
    const { others } = this.#content;
    for (let i = 0; i < others.length; i += 2) if (others[i] === 'xml:lang') return others[i + 1];
    return undefined;
  }

  /** The first child with this name, in the content namespace unless another is named. */
  child(name: string, ns: string = NS.client): Element | undefined {
    for (const node of this.children) if (typeof node !== 'string' && node.name === name && node.ns === ns) return node;
    return undefined;
  }

  childOf(ns: string): Element | undefined {
    for (const node of this.children) if (typeof node !== 'string' && node.ns === ns) return node;
    return undefined;
  }

  childText(name: string, ns: string = NS.client): string | undefined {
    return this.child(name, ns)?.text;
  }

  /** The first child element: what an iq is about. */
  get payload(): Element | undefined {
    for (const node of this.children) if (typeof node !== 'string') return node;
    return undefined;
  }

  /** A copy for another recipient: everything else is shared, and serialised once for all copies. */
  withTo(to: Jid | undefined): this {
    return this.#copy(to, this.#content);
  }

  /** A copy from somebody else. */
  withFrom(from: Jid | undefined): this {
    const { id, type, others, children, source, origin } = this.#content;
    return this.#copy(this.to, { from, id, type, others, children, source, origin });
  }

  /** A copy that knows where it entered; what is made of it by `with` and its like knows it, too. */
  withOrigin(origin: Origin | undefined): this {
    const { from, id, type, others, children, source, tail } = this.#content;
    const content: Content = { from, id, type, others, children, source, origin };
    if (tail !== undefined) content.tail = tail;
    return this.#copy(this.to, content);
  }

  /** A copy in this language, unless it names one of its own. */
  withLang(lang: string): this {
    if (this.lang !== undefined) return this;
    const { from, id, type, others, children, source, origin } = this.#content;
    return this.#copy(this.to, { from, id, type, others: [...others, 'xml:lang', lang], children, source, origin });
  }

  /** A copy with what is named changed; new children are serialised anew, all else is relayed as it was received. */
  with(change: StanzaChange): this {
    const content = this.#content;
    return this.#copy('to' in change ? change.to : this.to, {
      from: 'from' in change ? change.from : content.from,
      id: 'id' in change ? change.id : content.id,
      type: 'type' in change ? change.type : content.type,
      others: content.others,
      children: change.children ?? content.children,
      source: change.children === undefined ? content.source : undefined,
      origin: content.origin,
    });
  }

  #copy(to: Jid | undefined, content: Content): this {
    return new (this.constructor as new (to: Jid | undefined, content: Content) => this)(to, content);
  }

  /** A copy with one more child. */
  append(...nodes: Node[]): this {
    return this.with({ children: [...this.children, ...nodes] });
  }

  /** The answer that carries an error, addresses exchanged (RFC 6120 §8.3.1). */
  error(error: StanzaError): this {
    const { beside } = error;
    const children = [...(beside === undefined ? [] : [beside]), error.toElement()];
    return this.with({ to: this.from, from: this.to, type: 'error', children }).withOrigin(undefined);
  }

  toElement(): Element {
    const { from, id, type, others } = this.#content;
    const { children } = this;
    const attributes: string[] = [];
    if (this.to) attributes.push('to', this.to.toString());
    if (from) attributes.push('from', from.toString());
    if (id !== undefined) attributes.push('id', id);
    if (type !== undefined) attributes.push('type', type);
    attributes.push(...others);
    return new Element(this.kind, NS.client, attributes, children);
  }

  /** Whether this text stands in what it holds, or may stand there. */
  holds(text: string): boolean {
    return (this.#content.source ?? this.toString()).includes(text);
  }

  /** XML text in a stream whose content namespace is the default one. */
  toString(): string {
    this.#content.tail ??= this.#serializeTail();
    return this.to === undefined
      ? `<${this.kind}${this.#content.tail}`
      : `<${this.kind} to='${this.to.escaped}'${this.#content.tail}`;
  }

  #serializeTail(): string {
    const { from, id, type, others, children, source } = this.#content;
    let text = '';
    if (from) text += ` from='${from.escaped}'`;
    if (id !== undefined) text += ` id='${escapeAttribute(id)}'`;
    if (type !== undefined) text += ` type='${escapeAttribute(type)}'`;
    if (others.length > 0) text += serializeAttributes(others);
    if (children instanceof LateChildren) return `${text}>${source}`;
    if (children.length === 0) return `${text}/>`;
    if (source !== undefined && source !== '') return `${text}>${source}`;
    return `${text}>${serializeNodes(children, NS.client)}</${this.kind}>`;
  }
}

export class Message extends Stanza {
  readonly kind = 'message';
}

export class Presence extends Stanza {
  readonly kind = 'presence';
}

export class Iq extends Stanza {
  readonly kind = 'iq';

  /** The answer to this request (RFC 6120 §8.2.3). */
  result(...nodes: Node[]): Iq {
    return this.with({ to: this.from, from: this.to, type: 'result', children: nodes }).withOrigin(undefined);
  }
}

const PLAIN = new Set(['to', 'from', 'id', 'type']);

export function isStanza(element: Element): boolean {
  const { name, ns } = element;
  return ns === NS.client && (name === 'message' || name === 'presence' || name === 'iq');
}

/**
 * The stanza that an element of the content namespace is. Throws a StanzaError `jid-malformed` where an address is
 * none (RFC 6120 §8.3.3.8).
 */
export function stanzaOf(element: Element, origin?: Origin): Message | Presence | Iq {
  return stanzaFrom(element, undefined, origin);
}

/** The same, of what an element is made of. `tail`: its text behind the recipient, where that is at hand. */
export function stanzaFrom(
  element: Pick<Element, 'name' | 'attributes' | 'source'> & Pick<Content, 'children'>,
  tail?: string,
  origin?: Origin,
): Message | Presence | Iq {
  const { attributes } = element;
  let to: string | undefined;
  let from: string | undefined;
  let id: string | undefined;
  let type: string | undefined;
  let others: string[] | undefined;
  for (let i = 0; i < attributes.length; i += 2) {
    const value = attributes[i + 1] as string;
    switch (attributes[i]) {
      case 'to':
        to = value;
        break;
      case 'from':
        from = value;
        break;
      case 'id':
        id = value;
        break;
      case 'type':
        type = value;
        break;
      default:
        others ??= [];
        others.push(attributes[i] as string, value);
    }
  }
  const content: Content = {
    from: from === undefined ? undefined : address(from, 'from'),
    id,
    type,
    others: others ?? NONE,
    children: element.children,
    source: element.source,
    origin,
  };
  if (tail !== undefined) content.tail = tail;
  return make(element.name as StanzaKind, to === undefined ? undefined : address(to, 'to'), content);
}

/** A message to somebody, of which only the text behind the recipient is known; `read` tells it all, when that is asked for. */
export function lateMessage(to: Jid, tail: string, origin: Origin | undefined, read: () => Stanza): Message {
  return new Message(to, new LateContent(tail, origin, read));
}

const NONE: readonly string[] = [];

export interface StanzaParts extends Omit<StanzaChange, 'children'> {
  lang?: string;
}

function build(kind: StanzaKind, parts: StanzaParts, children: readonly Node[]): Stanza {
  const others = parts.lang === undefined ? NONE : ['xml:lang', parts.lang];
  const { from, id, type } = parts;
  return make(kind, parts.to, { from, id, type, others, children, source: undefined });
}

export function message(parts: StanzaParts, ...children: Node[]): Message {
  return build('message', parts, children) as Message;
}

export function presence(parts: StanzaParts, ...children: Node[]): Presence {
  return build('presence', parts, children) as Presence;
}

export function iq(parts: StanzaParts, ...children: Node[]): Iq {
  return build('iq', parts, children) as Iq;
}

/** The error that answers an element which is no proper stanza, its addresses left as text (RFC 6120 §8.3.1). */
export function errorElement(element: Element, error: StanzaError): Element {
  const attributes: string[] = ['type', 'error'];
  for (let i = 0; i < element.attributes.length; i += 2) {
    const name = element.attributes[i] as string;
    if (name === 'id') attributes.push(name, element.attributes[i + 1] as string);
    if (!PLAIN.has(name)) attributes.push(name, element.attributes[i + 1] as string);
  }
  return new Element(element.name, element.ns, attributes, [error.toElement()]);
}

function make(kind: StanzaKind, to: Jid | undefined, content: Content): Message | Presence | Iq {
  switch (kind) {
    case 'message':
      return new Message(to, content);
    case 'presence':
      return new Presence(to, content);
    case 'iq':
      return new Iq(to, content);
  }
}

function address(text: string, attribute: string): Jid {
  const jid = Jid.tryParse(text);
  if (jid === undefined) throw new StanzaError('jid-malformed', { text: `The ${attribute} is not an address.` });
  return jid;
}
