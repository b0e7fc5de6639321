import { describe, expect, it } from 'vitest';
import { asClientContent, inOtherContent } from './content-namespace.ts';
import type { Element } from './element.ts';
import { NS } from './namespaces.ts';
import { stanzaOf } from './stanza.ts';
import { stanzaFromText } from './stanza-text.ts';
import { XmlReader } from './xml-reader.ts';

const LIMITS = { maxBytes: 10_000, maxElements: 100, maxDepth: 20, maxAttributes: 20, maxNameLength: 200 };

/** What a stream of this content namespace brings. */
function read(text: string, ns: string = NS.component): Element {
  const found: Element[] = [];
  const handler = { onStreamOpen() {}, onElement: (element: Element) => found.push(element), onStreamClose() {} };
  const reader = new XmlReader(handler, LIMITS);
  reader.write(Buffer.from(`<stream:stream xmlns='${ns}' xmlns:stream='${NS.streams}'>${text}`));
  return found[0] as Element;
}

const words = ({ name, ns, children }: Element): string =>
  `${ns}|${name}(${children.map((node) => (typeof node === 'string' ? node : words(node))).join(',')})`;

const STANZAS = [
  `<message><body>Hi</body><x xmlns='urn:a'><y/></x></message>`,
  `<message><body xmlns='${NS.component}'>Hi</body></message>`,
  `<message><body xmlns='jabber&#58;component:accept'>Hi</body></message>`,
  `<message xmlns='${NS.component}'><body>Hi</body></message>`,
  `<message><x xmlns='urn:a'><message xmlns='${NS.component}'><body/></message></x></message>`,
  `<message><x xmlns='urn:a'><message xmlns='${NS.client}'><body/></message></x></message>`,
  `<message><c:body xmlns:c='${NS.component}'>Hi</c:body></message>`,
  `<message><body>${NS.component} &#x41;</body></message>`,
  '<presence/>',
];

describe('what comes in a stream of another content namespace', () => {
  it.each(STANZAS)('%s is the same to whoever reads it here and to whom it is relayed', (text) => {
    const stanza = stanzaOf(asClientContent(read(text), NS.component));
    expect(words(read(stanza.toString(), NS.client))).toBe(words(stanza.toElement()));
    expect(words(stanza.toElement())).not.toContain(`${NS.component}|`);
  });

  it('keeps its text where it may', () => {
    expect(asClientContent(read('<message><body >Hi</body></message>'), NS.component).source).toBe(
      '<body >Hi</body></message>',
    );
  });

  it('is left alone in another namespace', () => {
    const element = read(`<x xmlns='urn:a'/>`);
    expect(asClientContent(element, NS.component)).toBe(element);
  });
});

describe('what goes into such a stream', () => {
  it.each([
    [`<message to='a'><body>Hi</body></message>`, `<message to='a'><body>Hi</body></message>`],
    [`<message to='a'><body xmlns='${NS.client}'>Hi</body></message>`, `<message to='a'><body>Hi</body></message>`],
    [
      `<message to='a'><body xmlns='jabber&#58;client'>Hi</body></message>`,
      `<message to='a'><body>Hi</body></message>`,
    ],
    [
      `<message to='a'><x xmlns='urn:a'><message xmlns='${NS.client}'><body/></message></x></message>`,
      `<message to='a'><x xmlns='urn:a'><message xmlns='${NS.client}'><body/></message></x></message>`,
    ],
  ])('%s is %s', (text, expected) => {
    expect(inOtherContent(stanzaFromText(Buffer.from(text)))).toBe(expected);
  });
});
