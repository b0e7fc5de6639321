import { Element, type Node } from './element.ts';
import { NS } from './namespaces.ts';

/** The limits that `quickElement` keeps to, as `XmlLimits` has them. */
interface QuickLimits {
  readonly maxElements: number;
  readonly maxDepth: number;
  readonly maxAttributes: number;
  readonly maxNameLength: number;
}

/** More attributes are rare; looking for one that stands twice would take long. */
const MOST_ATTRIBUTES = 16;

const NO_ATTRIBUTES: readonly string[] = [];
const NO_CHILDREN: readonly Node[] = [];

const LT = 60;
const GT = 62;
const SLASH = 47;
const SPACE = 32;
const EQUALS = 61;
const COLON = 58;
const AMPERSAND = 38;
const BRACKET = 93;
const TAB = 9;
const NEWLINE = 10;
const QUOTE = 34;
const APOSTROPHE = 39;

// What may stand in the names of plain elements: 1 at the beginning, too, 2 only further on. Of all characters: to look beside it
// is slow.
const NAME = new Uint8Array(65_536);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz') NAME[character.charCodeAt(0)] = 1;
for (const character of '0123456789-.') NAME[character.charCodeAt(0)] = 2;

// Names and values that many stanzas have, by their length: what is found here is no new text, and what is compared with
// it later is the very same.
const COMMON: string[][] = [];
for (const word of [
  'a,r,x,h,iq,id,to,from,type,body,xmlns,query,thread,message,presence,active,request,priority,show,status',
  'chat,get,set,result,urn:xmpp:sm:3,urn:xmpp:ping',
].flatMap((words) => words.split(','))) {
  COMMON[word.length] ??= [];
  COMMON[word.length]?.push(word);
}

// The state of the one call that is under way: nothing here waits, and nothing is allocated for it.
let text = '';
let length = 0;
let at = 0;
let elements = 0;
let limits: QuickLimits;
let ranOut = false;

/**
 * The element that begins at `start`, where it is complete and as plain as nearly all are: ASCII names without prefix,
 * attributes in the usual form, no entity, CDATA, comment or carriage return. Undefined for everything else, be it right
 * or wrong: that is the parser's to judge. `quickEnd` then says where the element ends.
 */
export function quickElement(
  source: string,
  start: number,
  defaultNs: string,
  within: QuickLimits,
): Element | undefined {
  text = source;
  length = source.length;
  at = start;
  elements = 0;
  limits = within;
  const element = readElement(defaultNs, 1);
  ranOut = element === undefined && at === text.length;
  text = '';
  return element;
}

/**
 * The character there; 0, which stands in no XML, behind the end. Pieces end anywhere between servers: to have the engine look
 * behind the end, be it once, makes it slow at every character.
 */
const codeAt = (index: number): number => (index < length ? text.charCodeAt(index) : 0);

/** Where the element that `quickElement` gave last ends. */
export function quickEnd(): number {
  return at;
}

/** Whether `quickElement` gave none for want of its end alone: all that there is of it may be that of a plain one. */
export function quickRanOut(): boolean {
  return ranOut;
}

/** A start tag, as `quickStart` finds it. */
export interface QuickStart {
  readonly name: string;
  readonly ns: string;
  readonly attributes: readonly string[];
  /** Where what it holds begins; undefined where it is empty. */
  readonly inner: number | undefined;
}

/** The start tag at the beginning of a text, where it is as plain as `quickElement` wants it. */
export function quickStart(source: string, defaultNs: string, within: QuickLimits): QuickStart | undefined {
  text = source;
  length = source.length;
  at = 0;
  limits = within;
  const name = readStart(defaultNs);
  text = '';
  return name === undefined
    ? undefined
    : { name, ns: startNs, attributes: startAttributes, inner: startIsEmpty ? undefined : at };
}

// what `readStart` has read, beside the name
let startNs = '';
let startAttributes = NO_ATTRIBUTES;
let startIsEmpty = false;

/** Everything up to and with the ">" of the start tag: its name. */
function readStart(outerNs: string): string | undefined {
  if (codeAt(at) !== LT) return undefined;
  at++;
  const name = readName();
  if (name === undefined) return undefined;
  let ns = outerNs;
  let attributes: string[] | undefined;
  let declared = false;
  let count = 0;
  for (;;) {
    const before = at;
    skipSpace();
    const code = codeAt(at);
    if (code === GT || code === SLASH) {
      startIsEmpty = code === SLASH;
      if (startIsEmpty && codeAt(++at) !== GT) return undefined;
      at++;
      startNs = ns;
      startAttributes = attributes ?? NO_ATTRIBUTES;
      return name;
    }
    if (at === before) return undefined; // no white space before an attribute
    if (++count > limits.maxAttributes || count > MOST_ATTRIBUTES) return undefined;
    const attribute = readAttributeName();
    if (attribute === undefined || codeAt(at) !== EQUALS) return undefined;
    at++;
    const value = readValue();
    if (value === undefined) return undefined;
    if (attribute === 'xmlns') {
      if (declared || value.length > limits.maxNameLength || value.startsWith('http://www.w3.org/')) return refuse();
      if (value === NS.server) return refuse(); // what it is read as depends on the stream
      declared = true;
      ns = value;
    } else if (attributes === undefined) {
      attributes = [attribute, value];
    } else {
      for (let i = 0; i < attributes.length; i += 2) if (attributes[i] === attribute) return refuse();
      attributes.push(attribute, value);
    }
  }
}

/** It is not plain, whatever follows. */
function refuse(): undefined {
  at = -1;
}

function readElement(outerNs: string, depth: number): Element | undefined {
  if (++elements > limits.maxElements || depth > limits.maxDepth) return undefined;
  const name = readStart(outerNs);
  if (name === undefined) return undefined;
  const ns = startNs;
  const attributes = startAttributes;
  // the text of an element on the first level is relayed where it is in the content namespace
  if (startIsEmpty)
    return new Element(name, ns, attributes, NO_CHILDREN, depth === 1 && ns === outerNs ? '' : undefined);
  const inner = at;
  const children = readChildren(ns, depth);
  if (children === undefined) return undefined;
  // now behind "</"
  if (!text.startsWith(name, at) || codeAt(at + name.length) !== GT) {
    if (name.startsWith(text.slice(at, at + name.length + 1))) at = text.length;
    return undefined;
  }
  at += name.length + 1;
  const relayed = depth === 1 && ns === outerNs ? text.slice(inner, at) : undefined;
  return new Element(name, ns, attributes, children, relayed);
}

/** Everything up to and with the "</" of the end tag. */
function readChildren(ns: string, depth: number): readonly Node[] | undefined {
  let children: Node[] | undefined;
  for (;;) {
    const start = at;
    let code = codeAt(at);
    while (code !== LT) {
      // nor is it there behind the end of the text
      if (!(code >= SPACE || code === NEWLINE || code === TAB)) return undefined;
      if (code === AMPERSAND || code === BRACKET || code >= 0xfffe) return undefined;
      code = codeAt(++at);
    }
    if (at > start) {
      children ??= [];
      children.push(text.slice(start, at));
    }
    if (codeAt(at + 1) === SLASH) {
      at += 2;
      return children ?? NO_CHILDREN;
    }
    const child = readElement(ns, depth + 1);
    if (child === undefined) return undefined;
    children ??= [];
    children.push(child);
  }
}

function readName(): string | undefined {
  const start = at;
  if (NAME[codeAt(at)] !== 1) return undefined;
  do at++;
  while ((NAME[codeAt(at)] ?? 0) > 0);
  if (codeAt(at) === COLON || at - start > limits.maxNameLength) return undefined;
  return wordFrom(start);
}

/** The text up to where we are. */
function wordFrom(start: number): string {
  const common = COMMON[at - start];
  if (common !== undefined) {
    const first = text.charCodeAt(start);
    for (const word of common) if (word.charCodeAt(0) === first && text.startsWith(word, start)) return word;
  }
  return text.slice(start, at);
}

/** A name, or the one with a prefix that is common. */
function readAttributeName(): string | undefined {
  if (text.startsWith('xml:lang=', at)) {
    at += 8;
    return 'xml:lang';
  }
  return readName();
}

function readValue(): string | undefined {
  const quote = codeAt(at);
  if (quote !== APOSTROPHE && quote !== QUOTE) return undefined;
  const start = ++at;
  for (;;) {
    const code = codeAt(at);
    if (code === quote) {
      const value = wordFrom(start);
      at++;
      return value;
    }
    if (!(code >= SPACE) || code === LT || code === AMPERSAND || code >= 0xfffe) return undefined;
    at++;
  }
}

function skipSpace(): void {
  let code = codeAt(at);
  while (code === SPACE || code === NEWLINE || code === TAB) code = codeAt(++at);
}
