import { isUtf8 } from 'node:buffer';
import type { Element } from './element.ts';
import type { Jid } from './jid.ts';
import { NS } from './namespaces.ts';
import { quickElement, quickEnd, quickStart } from './quick-element.ts';
import { isStanza, LateChildren, lateMessage, type Origin, type Stanza, stanzaFrom, stanzaOf } from './stanza.ts';
import { XmlReader } from './xml-reader.ts';

const HEADER = Buffer.from(`<stream xmlns='${NS.client}'>`);

// whatever a stream may accept at most; what is read here was accepted once, perhaps under wider limits than today's
const LIMITS = {
  maxElements: 100_000,
  maxDepth: 256,
  maxAttributes: Number.POSITIVE_INFINITY,
  maxNameLength: Number.POSITIVE_INFINITY,
};

/**
 * The stanza that `Stanza.toString()` once wrote: kept text becomes a stanza again. The text stands for itself, since no
 * prefix but those that it declares is known. Throws where it is not exactly one stanza.
 */
export function stanzaFromText(text: Buffer): Stanza {
  return (isUtf8(text) ? quickStanza(text.toString('utf8')) : undefined) ?? parsedStanza(text);
}

/**
 * The same of a message that another node has just taken from its client and written: what it holds is read only where
 * somebody asks for it, and most often nobody does.
 */
export function stanzaFromNode(text: Buffer): Stanza {
  return (isUtf8(text) ? messageFromNode(text.toString('utf8')) : undefined) ?? stanzaFromText(text);
}

/**
 * The same for a client that reads it as it came: where it is a message to one of these addresses, nothing else is read
 * before somebody asks. Then only is told what cannot be read.
 */
export function stanzaForClient(bytes: Buffer, addresses: readonly Jid[], origin: Origin | undefined): Stanza {
  const text = isUtf8(bytes) ? bytes.toString('utf8') : '';
  if (text.startsWith(MESSAGE) && text.endsWith(END)) {
    for (const to of addresses) {
      const end = MESSAGE.length + to.escaped.length;
      if (text[end] !== "'" || !text.startsWith(to.escaped, MESSAGE.length)) continue;
      return lateMessage(to, text.slice(end + 1), origin, () => stanzaFromNode(Buffer.from(text)));
    }
  }
  const stanza = stanzaFromNode(bytes);
  return origin === undefined ? stanza : stanza.withOrigin(origin);
}

const MESSAGE = "<message to='";
const END = '</message>';

function messageFromNode(text: string): Stanza | undefined {
  if (!text.startsWith(MESSAGE) || !text.endsWith(END)) return undefined;
  const start = quickStart(text, NS.client, LIMITS);
  if (start?.inner === undefined || start.name !== 'message' || start.ns !== NS.client) return undefined;
  const { name, attributes, inner } = start;
  const children = new LateChildren(() => stanzaFromText(Buffer.from(text)).children);
  const tail = text.slice(MESSAGE.length + (attributes[1] as string).length + 1);
  return stanzaFrom({ name, attributes, children, source: text.slice(inner) }, tail);
}

/** What `Stanza.toString()` wrote, as a text that stands for itself: it declares its namespace. */
export const standalone = (text: string): string => text.replace(/^<[a-z]+/, `$& xmlns='${NS.client}'`);

/** Nearly all are plain. */
function quickStanza(text: string): Stanza | undefined {
  const element = quickElement(text, 0, NS.client, LIMITS);
  return element !== undefined && quickEnd() === text.length && isStanza(element) ? stanzaOf(element) : undefined;
}

function parsedStanza(text: Buffer): Stanza {
  const found: (Element | undefined)[] = [];
  const handler = {
    onStreamOpen() {},
    onElement: (element: Element) => found.push(element),
    onStreamClose: () => found.push(undefined),
  };
  const reader = new XmlReader(handler, { ...LIMITS, maxBytes: HEADER.length + text.length });
  reader.write(HEADER);
  reader.write(text);
  const [element] = found;
  if (found.length !== 1 || !reader.idle || element === undefined || !isStanza(element)) {
    throw new Error('The kept text is not one stanza.');
  }
  return stanzaOf(element);
}
