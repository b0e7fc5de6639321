import { COMMON_ROOT } from './parser-pool.ts';

/** What stands in front of a stream's first-level elements. */
export interface QuickRoot {
  /** As they are written, declarations of namespaces among them. */
  readonly attributes: Record<string, string>;
  /** Where it ends. */
  readonly end: number;
}

// Printable ASCII without references; each part can be read in one way only, so that nothing is tried twice.
const DECLARATION =
  /<\?xml[ \n]+version=(?:'1\.0'|"1\.0")(?:[ \n]+encoding=(?:'(?:utf|UTF)-8'|"(?:utf|UTF)-8"))?[ \n]*\?>[ \n]*/y;
const ATTRIBUTE = /[ \n]+([a-z]+(?::[a-z]+)?)=(?:'([ -%(-;=-~]*)'|"([ !#-%'-;=-~]*)")/y;
const END = /[ \n]*>/y;

const START = `<${COMMON_ROOT}`;
const END_TAG = `</${COMMON_ROOT}>`;
const MOST_ATTRIBUTES = 16;

/**
 * The root's start tag at the beginning of a text, with the declaration of XML before it, where it is complete and as plain as
 * nearly every client writes it. Undefined for everything else, be it right or wrong: that is the parser's to judge.
 */
export function quickRoot(text: string): QuickRoot | undefined {
  DECLARATION.lastIndex = 0;
  let at = DECLARATION.test(text) ? DECLARATION.lastIndex : 0;
  if (!text.startsWith(START, at)) return undefined;
  at += START.length;
  const attributes: Record<string, string> = Object.create(null);
  for (let count = 0; count <= MOST_ATTRIBUTES; count++) {
    ATTRIBUTE.lastIndex = at;
    const found = ATTRIBUTE.exec(text);
    if (found === null) {
      END.lastIndex = at;
      return END.test(text) ? { attributes, end: END.lastIndex } : undefined;
    }
    const [, name = '', single, double = ''] = found;
    if (name in attributes) return undefined;
    attributes[name] = single ?? double;
    at = ATTRIBUTE.lastIndex;
  }
  return undefined;
}

/** Where the root's end tag ends that begins there; undefined where there is another thing. */
export const quickRootEnd = (text: string, start: number): number | undefined =>
  text.startsWith(END_TAG, start) ? start + END_TAG.length : undefined;
