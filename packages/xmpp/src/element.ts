import { escapeAttribute, escapeText } from './escape.ts';
import { NS } from './namespaces.ts';

export type Node = Element | string;

/**
 * An immutable XML element.
 *
 * `attributes` is a flat list: name, value, name, value … A name without a namespace stands as it is, an attribute of
 * the xml namespace as `xml:lang`, any other as `{namespace}local`. Declarations of namespaces are not attributes.
 */
export class Element {
  readonly name: string;
  readonly ns: string;
  readonly attributes: readonly string[];
  readonly children: readonly Node[];
  /**
   * The text from behind the start tag to the end of the end tag, as it was received ('' for an empty element), or
   * undefined where relaying it would not mean the same in another stream (see `XmlReader`).
   */
  readonly source: string | undefined;

  constructor(
    name: string,
    ns: string,
    attributes: readonly string[] = [],
    children: readonly Node[] = [],
    source?: string,
  ) {
    this.name = name;
    this.ns = ns;
    this.attributes = attributes;
    this.children = children;
    this.source = source;
  }

  /** Builds an element in code; attributes whose value is undefined are left out. */
  static of(
    name: string,
    ns: string,
    attributes: Readonly<Record<string, string | number | undefined>> = {},
    ...children: Node[]
  ): Element {
    const list: string[] = [];
    for (const key of Object.keys(attributes)) {
      const value = attributes[key];
      if (value !== undefined) list.push(key, String(value));
    }
    return new Element(name, ns, list, children);
  }

  is(name: string, ns: string): boolean {
    return this.name === name && this.ns === ns;
  }

  attr(name: string): string | undefined {
    const { attributes } = this;
    for (let i = 0; i < attributes.length; i += 2) if (attributes[i] === name) return attributes[i + 1];
    return undefined;
  }

  /** The first child element with this name and, by default, this element's own namespace. */
  child(name: string, ns: string = this.ns): Element | undefined {
    for (const node of this.children) if (typeof node !== 'string' && node.name === name && node.ns === ns) return node;
    return undefined;
  }

  /** The first child element of a namespace, whatever its name. */
  childOf(ns: string): Element | undefined {
    for (const node of this.children) if (typeof node !== 'string' && node.ns === ns) return node;
    return undefined;
  }

  get firstChild(): Element | undefined {
    for (const node of this.children) if (typeof node !== 'string') return node;
    return undefined;
  }

  get elements(): Element[] {
    return this.children.filter((node) => typeof node !== 'string');
  }

  /** The character data directly inside this element. */
  get text(): string {
    let text = '';
    for (const node of this.children) if (typeof node === 'string') text += node;
    return text;
  }

  childText(name: string, ns: string = this.ns): string | undefined {
    return this.child(name, ns)?.text;
  }

  with(change: { attributes?: readonly string[]; children?: readonly Node[]; ns?: string }): Element {
    return new Element(
      this.name,
      change.ns ?? this.ns,
      change.attributes ?? this.attributes,
      change.children ?? this.children,
    );
  }

  /** This element with one attribute set, or taken away where the value is undefined. */
  withAttr(name: string, value: string | undefined): Element {
    const list: string[] = [];
    for (let i = 0; i < this.attributes.length; i += 2) {
      if (this.attributes[i] !== name) list.push(this.attributes[i] as string, this.attributes[i + 1] as string);
    }
    if (value !== undefined) list.push(name, value);
    return new Element(this.name, this.ns, list, this.children);
  }

  append(...nodes: Node[]): Element {
    return new Element(this.name, this.ns, this.attributes, [...this.children, ...nodes]);
  }

  /** XML text that means this element where `context` is the default namespace; a change of it is declared. */
  toString(context = ''): string {
    // Namespaces in XML §3: the xml namespace may not be the default one, and needs no declaration
    const isXml = this.ns === NS.xml;
    const name = isXml ? `xml:${this.name}` : this.name;
    const inside = isXml ? context : this.ns;
    let text = `<${name}`;
    if (inside !== context) text += ` xmlns='${escapeAttribute(inside)}'`;
    text += serializeAttributes(this.attributes);
    if (this.children.length === 0) return `${text}/>`;
    return `${text}>${serializeNodes(this.children, inside)}</${name}>`;
  }
}

export function serializeNodes(nodes: readonly Node[], context: string): string {
  let text = '';
  for (const node of nodes) text += typeof node === 'string' ? escapeText(node) : node.toString(context);
  return text;
}

/** ` name='value'` for each; an attribute of a foreign namespace gets a prefix of its own. */
export function serializeAttributes(attributes: readonly string[]): string {
  let text = '';
  for (let i = 0; i < attributes.length; i += 2) {
    const name = attributes[i] as string;
    const value = escapeAttribute(attributes[i + 1] as string);
    if (name.charCodeAt(0) !== 123) {
      text += ` ${name}='${value}'`;
    } else {
      const end = name.lastIndexOf('}');
      const uri = escapeAttribute(name.slice(1, end));
      text += ` xmlns:a${i}='${uri}' a${i}:${name.slice(end + 1)}='${value}'`;
    }
  }
  return text;
}
