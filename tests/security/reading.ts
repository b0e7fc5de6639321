import { isDeepStrictEqual } from 'node:util';
import type { Element, Node } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { StreamError } from '@parley/xmpp/stream-error';
import type { XmlLimits } from '@parley/xmpp/xml-limits';
import { XmlReader } from '@parley/xmpp/xml-reader';

/** Name, namespace, attributes (name, namespace, value), children: what two parsers can be compared by. */
export type Tree = [string, string, [string, string, string][], (Tree | string)[]];

/** What a parser makes of a document. */
export interface Reading {
  /** What is wrong, or undefined. */
  readonly error: string | undefined;
  /** The root's children that were complete before the error. */
  readonly elements: readonly Tree[];
}

export const LIMITS: XmlLimits = {
  maxBytes: 262_144,
  maxElements: 10_000,
  maxDepth: 64,
  maxAttributes: 256,
  maxNameLength: 1024,
};

/** The header that a server sends: the context in which everything relayed is read. */
export const HEADER = `<?xml version='1.0'?><stream:stream xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`;

export function treeOf(element: Element): Tree {
  const { name, ns, attributes, children } = element;
  const list: [string, string, string][] = [];
  for (let i = 0; i < attributes.length; i += 2) {
    list.push([...attributeName(attributes[i] as string), attributes[i + 1] as string]);
  }
  return [name, ns, list.sort((a, b) => (`${a}` < `${b}` ? -1 : 1)), joined(children)];
}

function attributeName(name: string): [string, string] {
  if (name.startsWith('xml:')) return [name.slice(4), NS.xml];
  if (!name.startsWith('{')) return [name, ''];
  const end = name.lastIndexOf('}');
  return [name.slice(end + 1), name.slice(1, end)];
}

/** Text that stands side by side is one text, and no text is nothing. */
function joined(children: readonly Node[]): (Tree | string)[] {
  const list: (Tree | string)[] = [];
  for (const child of children) {
    const last = list.at(-1);
    if (typeof child !== 'string') list.push(treeOf(child));
    else if (typeof last === 'string') list[list.length - 1] = last + child;
    else if (child !== '') list.push(child);
  }
  return list;
}

export interface StreamReading extends Reading {
  readonly received: readonly Element[];
  /** The root's end tag came. */
  readonly closed: boolean;
  /** Behind which byte the header and each element were handed on. */
  readonly ends: readonly number[];
}

/** What XmlReader makes of these chunks; the error is the condition. Throws what is no StreamError. */
export function readStream(chunks: readonly (Buffer | string)[], limits = LIMITS): StreamReading {
  const received: Element[] = [];
  const ends: number[] = [];
  let closed = false;
  let error: string | undefined;
  let at = 0;
  const reader = new XmlReader(
    {
      onStreamOpen: () => ends.push(at),
      onElement(element) {
        received.push(element);
        ends.push(at);
      },
      onStreamClose: () => {
        closed = true;
      },
    },
    limits,
  );
  try {
    for (const chunk of chunks) {
      const bytes = Buffer.from(chunk);
      at += bytes.length;
      reader.write(bytes);
    }
  } catch (thrown) {
    if (!(thrown instanceof StreamError)) throw thrown;
    error = thrown.condition;
  }
  return { error, received, closed, ends, elements: received.map(treeOf) };
}

/**
 * What XmlReader makes of a document in whatever pieces it comes: at once, byte by byte, and element by element, which
 * is how it comes from most clients. Throws where that makes a difference.
 */
export function readInPieces(document: Buffer): StreamReading {
  const byByte = readStream(Array.from(document, (byte) => Buffer.of(byte)));
  const pieces = [0, ...byByte.ends].map((end, i) => document.subarray(end, byByte.ends[i] ?? document.length));
  for (const reading of [readStream([document]), readStream(pieces)]) {
    if (!isDeepStrictEqual(essence(reading), essence(byByte))) {
      throw new Error(`It matters how this comes in: ${JSON.stringify(document.toString())}`);
    }
  }
  return byByte;
}

const essence = ({ error, closed, elements, received }: StreamReading) => [
  error,
  closed,
  elements,
  received.map(({ source }) => source),
];

/** The elements that a text means in the stream of somebody who receives it. Throws where it is ill-formed. */
export function readRelayed(text: string): readonly Element[] {
  const { error, received } = readStream([HEADER, text], {
    ...LIMITS,
    maxBytes: Number.POSITIVE_INFINITY,
    maxAttributes: Number.POSITIVE_INFINITY,
  });
  if (error !== undefined) throw new Error(`What was relayed is ${error}: ${text}`);
  return received;
}
