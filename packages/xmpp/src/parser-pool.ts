import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { checkDeclaration } from './xml-declaration.ts';

/** What a parser tells whoever uses it. */
export interface ParserEvents {
  onTagStart(): void;
  onAttribute(name: string, value: string): void;
  onOpenTag(tag: SaxesTagPlain): void;
  onCloseTag(tag: SaxesTagPlain): void;
  onText(text: string): void;
  onCdata(text: string): void;
  onRestricted(what: string): void;
  onError(message: string): void;
}

/** The root's tag as nearly every client writes it; only parsers inside such a root can be shared. */
export const COMMON_ROOT = 'stream:stream';

/** Idle parsers that are kept: more than streams are ever in the middle of an element at the same time, usually. */
const MOST_KEPT = 64;

/** A saxes parser that serves one reader at a time. */
export class PooledParser {
  user: ParserEvents | undefined;
  readonly #saxes = new SaxesParser({ position: false, forceXMLVersion: true, defaultXMLVersion: '1.0' });

  constructor() {
    const saxes = this.#saxes;
    saxes.on('xmldecl', checkDeclaration);
    saxes.on('opentagstart', () => this.user?.onTagStart());
    saxes.on('attribute', ({ name, value }) => this.user?.onAttribute(name, value));
    saxes.on('opentag', (tag) => this.user?.onOpenTag(tag as SaxesTagPlain));
    saxes.on('closetag', (tag) => this.user?.onCloseTag(tag as SaxesTagPlain));
    saxes.on('text', (text) => this.user?.onText(text));
    saxes.on('cdata', (text) => this.user?.onCdata(text));
    saxes.on('comment', () => this.user?.onRestricted('Comments'));
    saxes.on('doctype', () => this.user?.onRestricted('Document type declarations'));
    saxes.on('processinginstruction', () => this.user?.onRestricted('Processing instructions'));
    saxes.on('error', (error) => this.user?.onError(error.message));
  }

  /** Characters that were given to it so far, by whomever. */
  consumed = 0;

  /** Where it is in all of them. To be asked while it tells something: between two writes saxes counts wrongly. */
  get position(): number {
    return this.#saxes.position;
  }

  /** The line that it reads, counted from 1. */
  get line(): number {
    return this.#saxes.line;
  }

  write(text: string): void {
    this.#saxes.write(text);
    this.consumed += text.length;
  }
}

const kept: PooledParser[] = [];

/** A parser at the very beginning of a document. */
export function newParser(user: ParserEvents): PooledParser {
  const parser = new PooledParser();
  parser.user = user;
  return parser;
}

/** A parser between two elements inside a root called `COMMON_ROOT`. */
export function borrowParser(user: ParserEvents): PooledParser {
  let parser = kept.pop();
  if (parser === undefined) {
    parser = new PooledParser();
    parser.write(`<${COMMON_ROOT}>`);
  }
  parser.user = user;
  return parser;
}

/** Gives back a parser that is between two elements inside such a root again, with nothing unread. */
export function returnParser(parser: PooledParser): void {
  parser.user = undefined;
  if (kept.length < MOST_KEPT) kept.push(parser);
}
