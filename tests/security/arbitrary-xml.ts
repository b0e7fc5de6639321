import { NS } from '@parley/xmpp/namespaces';
import fc from 'fast-check';
import { character } from './arbitrary-tree.ts';

/** Mostly the first; one in 200 or so is wrong, so that most documents are right and most wrong ones only once. */
const mostly = (right: fc.Arbitrary<string>, ...wrong: string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 200, arbitrary: right }, { weight: 1, arbitrary: fc.constantFrom(...wrong) });

const pick = (...texts: string[]) => fc.constantFrom(...texts);
const joined = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((list) => list.join(''));

const maybeSpace = fc.oneof(
  { weight: 6, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: pick(' ', '\n', '\t', '\r', '\r\n  ') },
);
const space = fc.oneof(
  { weight: 6, arbitrary: fc.constant(' ') },
  { weight: 1, arbitrary: pick('  ', '\n', '\t', '\r', '\r\n') },
);

const reference = mostly(
  pick(
    '&lt;',
    '&gt;',
    '&amp;',
    '&quot;',
    '&apos;',
    '&#65;',
    '&#x41;',
    '&#13;',
    '&#10;',
    '&#9;',
    '&#x20;',
    '&#x1F600;',
    '&#xFFFD;',
    '&#x85;',
    '&#0060;',
  ),
  '&nbsp;',
  '&#0;',
  '&#1;',
  '&#x1F;',
  '&#xD800;',
  '&#xFFFE;',
  '&#x110000;',
  '&#;',
  '&#x;',
  '&#xg;',
  '&#65',
  '&',
  '&lt',
  '& ',
  '&#X41;',
  '&LT;',
  '&#-1;',
  '&a:b;',
);

const plain = fc.string({ unit: character, maxLength: 6 });
const escapedFor = (escaped: RegExp) => (text: string) => text.replace(escaped, (found) => `&#${found.charCodeAt(0)};`);

const textPiece = mostly(
  plain.map(escapedFor(/[&<]|(?<=\]\])>/g)),
  ']]>',
  '\u0000',
  '\u0001',
  '\u001f',
  '\ufffe',
  '\uffff',
  '<',
  '< ',
  '<1',
  '<!',
  '</',
);
const text = fc.oneof({ weight: 2, arbitrary: textPiece }, { weight: 1, arbitrary: reference });

const cdata = mostly(
  plain.map((inside) => `<![CDATA[${inside.replaceAll(']]>', '')}]]>`),
  '<![CDATA[',
  '<![CDATA[ ]] >',
  '<![cdata[x]]>',
  '<![CDATA [x]]>',
  '<![CDATA[\u0001]]>',
);

const value = fc.oneof({ weight: 3, arbitrary: plain }, { weight: 1, arbitrary: reference });
const quoted = mostly(
  fc.oneof(
    fc.array(value, { maxLength: 2 }).map((list) => `'${list.map(escapedFor(/[<']|&(?![a-z#A-Z])/g)).join('')}'`),
    fc.array(value, { maxLength: 2 }).map((list) => `"${list.map(escapedFor(/[<"]|&(?![a-z#A-Z])/g)).join('')}"`),
  ),
  `'<'`,
  `'`,
  `"`,
  `''''`,
  'x',
  '',
  `'\u0001'`,
  '\u2018x\u2019',
);

const prefix = mostly(pick('p', 'q', 'stream', 'xml', '_', 'é'), 'r', 'xmlns', 'xMl', '1', '', 'p:q');
const local = mostly(
  pick('a', 'b', 'body', 'x', 'message', 'stream', 'é', 'a-b.c', '_1', 'xmlnsx', '__proto__'),
  '1',
  '-a',
  '.',
  '',
  'a:b',
  '·a',
  '\u0301',
  'a$',
);
const name = fc.oneof(
  { weight: 4, arbitrary: local },
  { weight: 1, arbitrary: joined(prefix, fc.constant(':'), local) },
);

const uri = mostly(
  pick(
    NS.client,
    NS.client,
    NS.streams,
    NS.server,
    'urn:x',
    'urn:y',
    'urn:&#120;',
    'a b',
    ' urn:x',
    'urn:x&#10;',
    '{urn:x}',
    'it&apos;s',
  ),
  NS.xml,
  NS.xmlns,
  '<',
  '&',
);
const equals = mostly(fc.constant('='), ' = ', '\n=', '==', '', ' ');
const declaration = fc
  .tuple(mostly(pick('p', 'q', '_', 'é', ''), 'xml', 'xmlns', 'p:q', '1'), equals, uri, pick("'", '"'))
  .map(([declared, is, ns, quote]) => [declared === '' ? 'xmlns' : `xmlns:${declared}`, `${is}${quote}${ns}${quote}`]);
const nothing = mostly(fc.constant('xmlns'), 'xmlns:p').map((declared) => [declared, `=''`]);
const attributeName = fc.oneof(
  { weight: 4, arbitrary: name },
  { weight: 2, arbitrary: pick('xml:lang', 'id', 'type', 'to', 'from') },
);
const attribute = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(attributeName, equals, quoted).map(([named, is, text]) => [named, is + text]) },
  { weight: 6, arbitrary: declaration },
  { weight: 1, arbitrary: nothing },
);
const different = fc.uniqueArray(attribute, { maxLength: 3, selector: ([named]) => named });
const attributes = fc
  .oneof({ weight: 60, arbitrary: different }, { weight: 1, arbitrary: fc.array(attribute, { maxLength: 3 }) })
  .chain((list) => joined(...list.flatMap((each) => [mostly(space, '', '/'), fc.constant(each.join(''))])));

const others = pick(
  '<!-- -->',
  '<!---->',
  '<!-- -- -->',
  '<?p i?>',
  '<?xml version="1.0"?>',
  '<!DOCTYPE a>',
  '<!ELEMENT a ANY>',
  '<!',
  '<?',
  ']]>',
);

/** Declared by the root, unless it is left out. */
const prefixes = fc.oneof(
  { weight: 1, arbitrary: fc.constant('') },
  { weight: 12, arbitrary: fc.constant(` xmlns:p='urn:p' xmlns:q="urn:q" xmlns:_='urn:x' xmlns:é='urn:p'`) },
);

const { element } = fc.letrec<{ element: string; node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    { weight: 6, arbitrary: text },
    { weight: 1, arbitrary: cdata },
    { weight: 6, arbitrary: tie('element') },
  ),
  element: fc
    .tuple(
      name,
      attributes,
      maybeSpace,
      fc.array(tie('node'), { maxLength: 3 }),
      maybeSpace,
      mostly(fc.constant('same'), 'x', '', 'A', 'p:a'),
      fc.boolean(),
    )

    .map(([tag, list, before, children, behind, end, selfClosing]) =>
      children.length === 0 && selfClosing
        ? `<${tag}${list}${before}/>`
        : `<${tag}${list}${before}>${children.join('')}</${end === 'same' ? tag : end}${behind}>`,
    ),
}));

const stanza = fc
  .tuple(
    pick('message', 'presence', 'iq'),
    pick('', '', '', ` xmlns='${NS.client}'`),
    attributes,
    fc.array(element, { maxLength: 2 }),
    text,
  )
  .map(([tag, declared, list, children, inside]) => `<${tag}${declared}${list}>${children.join(inside)}</${tag}>`);

const between = fc.oneof(
  { weight: 8, arbitrary: maybeSpace },
  { weight: 1, arbitrary: pick('&#10;', '<![CDATA[ ]]>', 'x', '&lt;') },
);
const child = fc.oneof(
  { weight: 20, arbitrary: stanza },
  { weight: 10, arbitrary: element },
  { weight: 1, arbitrary: others },
);

const declarationOfXml = mostly(
  pick(
    '',
    `<?xml version='1.0'?>`,
    `<?xml version="1.0" encoding="UTF-8"?>`,
    `<?xml version='1.0' encoding='utf-8' standalone='yes' ?>\n`,
    '\ufeff',
  ),
  `<?xml version='1.1'?>`,
  `<?xml?>`,
  `<?xml encoding='UTF-8'?>`,
  `<?xml version='1.0' encoding='latin1'?>`,
  ` <?xml version='1.0'?>`,
  `<?xml version='1.0' standalone='x'?>`,
  `<?XML version='1.0'?>`,
  `<?xml version='1.0'?><!DOCTYPE a>`,
  `<?xml version='2.0'?>`,
  `<?xml version=''?>`,
);

const root = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constant(['stream:stream', `xmlns='${NS.client}' xmlns:stream='${NS.streams}'`] as const),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ['s:stream', `xmlns='${NS.client}' xmlns:s='${NS.streams}'`] as const,
      ['stream', `xmlns='${NS.streams}'`] as const,
      ['s:stream', `xmlns:s='${NS.streams}' xmlns:c='${NS.client}'`] as const,
    ),
  },
);

/** The text of a whole stream, end tag included: mostly well-formed, in all the ways in which it may be written. */
export const xmlStream: fc.Arbitrary<string> = fc
  .tuple(
    declarationOfXml,
    root,
    prefixes,
    fc.oneof(
      { weight: 3, arbitrary: fc.constant('') },
      { weight: 1, arbitrary: pick(` to='a'`, ` version="1.0"`, ` xml:lang='en'`) },
    ),
    fc.array(fc.tuple(between, child), { maxLength: 3 }),
    mostly(fc.constant(''), '<a/>', 'x', ' \n', '</stream:stream>'),
  )
  .map(([declared, [tag, namespaces], prefixed, list, children, behind]) => {
    const content = children.map(([white, each]) => white + each).join('');
    return `${declared}<${tag} ${namespaces}${prefixed}${list}>${content}</${tag}>${behind}`;
  });
