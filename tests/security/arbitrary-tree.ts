import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import fc from 'fast-check';

/** What XML 1.0 §2.2 takes as a character, with a liking for what is hard. */
export const character: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...`abc &<>"'=/;]![-?:{}\t\n\r`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('é', '€', '中', '😀', '\u0085', '\u2028', '\ufeff', '\ufffd', '\u{10ffff}', '\u007f'),
  },
);

export const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.string({ unit: character, maxLength }) },
    { weight: 1, arbitrary: fc.constantFrom(']]>', '&amp;', '&#13;', '<![CDATA[', '\r\n', '&lt;!--', "'/>", '"/>') },
  );

export const localName = fc.constantFrom(
  'a',
  'b',
  'message',
  'body',
  'stream',
  'xml',
  'xmlns',
  '_',
  'é',
  'a.b-c',
  'a0',
  'to',
);

export const namespace = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<string>(NS.client, NS.streams, NS.server, 'urn:x', 'urn:y', '') },
  { weight: 1, arbitrary: fc.string({ unit: character, minLength: 1, maxLength: 6 }) },
);

const elementNamespace = fc.oneof({ weight: 8, arbitrary: namespace }, { weight: 1, arbitrary: fc.constant(NS.xml) });

const attributeName = fc.oneof(
  { weight: 3, arbitrary: localName.filter((name) => name !== 'xmlns') },
  { weight: 1, arbitrary: localName.map((name) => `xml:${name}`) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(namespace, localName)
      .filter(([ns]) => ns !== '')
      .map(([ns, name]) => `{${ns}}${name}`),
  },
);

const attributes = fc
  .uniqueArray(fc.tuple(attributeName, text(6)), { maxLength: 4, selector: ([name]) => name })
  .map((list) => list.flat());

/** Elements as they may come from anywhere: parsed, or made in code. */
export const tree: fc.Arbitrary<Element> = fc.letrec<{ element: Element; node: Element | string }>((tie) => ({
  node: fc.oneof({ depthSize: 'small' }, text(8), tie('element')),
  element: fc
    .tuple(localName, elementNamespace, attributes, fc.array(tie('node'), { maxLength: 4 }))
    .map(([name, ns, list, children]) => new Element(name, ns, list, children)),
})).element;
