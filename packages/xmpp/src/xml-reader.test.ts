import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Element } from './element.ts';
import { NS } from './namespaces.ts';
import { StreamError } from './stream-error.ts';
import { XmlReader } from './xml-reader.ts';

const LIMITS = { maxBytes: 10_000, maxElements: 32, maxDepth: 8, maxAttributes: 16, maxNameLength: 100 };
const HEADER = `<?xml version='1.0'?><stream:stream to='a.lit' version='1.0' xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`;

/** Everything that happens when these chunks arrive, an error's condition last. */
function read(chunks: readonly (string | Buffer)[], limits = LIMITS, betweenServers = false): string[] {
  const events: string[] = [];
  const reader = new XmlReader(
    {
      onStreamOpen: (root, contentNs) => events.push(`open ${root} ${contentNs}`),
      onElement: (element) => events.push(`element ${describeElement(element)}`),
      onStreamClose: () => events.push('close'),
    },
    limits,
    betweenServers,
  );
  try {
    for (const chunk of chunks) reader.write(Buffer.from(chunk));
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    events.push(error.condition);
  }
  return events;
}

const describeElement = (element: Element) => `${element.toString(NS.client)} | ${element.source}`;
const inStream = (text: string, limits = LIMITS) => read([HEADER + text], limits).slice(1);

/** 15 attributes of one namespace. */
const MANY = `<b ${Array.from({ length: 15 }, (_, i) => `p:a${i}=''`).join(' ')}/>`;

describe('XmlReader', () => {
  it('hands out the header, elements and the end', () => {
    expect(read([`${HEADER}<message to='b@a.lit'><body>hi</body></message></stream:stream>`])).toEqual([
      `open <stream xmlns='${NS.streams}' to='a.lit' version='1.0'/> jabber:client`,
      `element <message to='b@a.lit'><body>hi</body></message> | <body>hi</body></message>`,
      'close',
    ]);
  });

  it.each(['</stream:stream>', '</stream:stream >'])('takes white space alone behind %s', (end) => {
    expect(read([HEADER, end, ' \n'])).toEqual([expect.stringMatching('^open'), 'close']);
    const wrong = [expect.stringMatching('^open'), 'close', 'not-well-formed'];
    for (const more of ['<a/>', ' a', HEADER, '<', '<!-- -->', '<?a?>', '<![CDATA[ ]]>', '&#32;', '\u0000']) {
      expect(read([HEADER, end, more]), more).toEqual(wrong);
      expect(read([HEADER, end + more]), more).toEqual(wrong);
      expect(read([HEADER + end + more]), more).toEqual(wrong);
    }
  });

  it.each(["<?XML version='1.0'?>", "<?xml VERSION='1.0'?>", "<?xml version='1.0' ENCODING='utf-8'?>"])(
    'takes %s for no declaration, in one piece and in many',
    (declaration) => {
      const text = declaration + HEADER.replace(/^<\?xml[^>]*>/, '');
      expect([read([text]), read([...text])]).toEqual([['not-well-formed'], ['not-well-formed']]);
    },
  );

  it('judges the root in one piece as in many, where the parser reads it', () => {
    const parts = [
      `<?xml version='1.0'?>|<?xml version="1.0" encoding="utf-8"?>|<?XML version='1.0'?>|<?xml VERSION='1.0'?>|<?xml|?>| |\n|\t|\r`,
      `<stream:stream|xmlns='${NS.client}'|xmlns:stream="${NS.streams}"|to='a.lit'|TO='a'|xml:lang="en"|xml:lang='de'|>|/>`,
      `xmlns:stream='urn:x'|xmlns:xml='urn:x'|xmlns:xmlns='urn:x'|a:b='c'|xmlns:a='urn:a'|xmlns:a=''|id='<'|id='&lt;'|id='>'`,
      `id="'"|id='\u00fc'|encoding='UTF-8'|ENCODING='utf-8'|version='1.0'|VERSION='1.0'|standalone='yes'`,
      `<a/>|</stream:stream>|</stream:stream >|<!-- -->|x|\ufeff`,
    ].flatMap((some) => some.split('|'));
    const any = fc.constantFrom(...parts);
    const attribute = fc.tuple(fc.constantFrom(' ', '\n', '  ', ''), any).map((both) => both.join(''));
    const start = fc.constantFrom(HEADER.slice(0, -1), HEADER.slice(HEADER.indexOf('<stream'), -1), '<stream:stream');
    const rooted = fc.tuple(
      fc.array(any, { maxLength: 3 }),
      start,
      fc.array(attribute, { maxLength: 5 }),
      fc.constantFrom('>', ' >', ''),
      fc.array(any, { maxLength: 3 }),
    );
    fc.assert(
      fc.property(rooted, (all) => {
        const text = all.flat().join('');
        expect(read([text])).toEqual(read([...text]));
      }),
      { numRuns: 3000 },
    );
  });

  it('holds the root to the limits, be it plain or not', () => {
    for (const to of ['a.lit', 'a&#46;lit']) {
      const header = HEADER.replace('a.lit', to);
      expect(read([header], { ...LIMITS, maxAttributes: 4 })[0]).toMatch('open');
      expect(read([header], { ...LIMITS, maxAttributes: 3 })).toEqual(['policy-violation']);
      expect(read([header], { ...LIMITS, maxNameLength: 12 })).toEqual(['policy-violation']);
    }
  });

  it('keeps the text only where it means the same behind another start tag', () => {
    const kept = (text: string) => !inStream(text)[0]?.endsWith('| undefined');
    expect(kept(`<message><x xmlns='urn:x'><y/></x></message>`)).toBe(true);
    expect(kept(`<message xmlns='jabber:client'><body/></message >`)).toBe(true);
    expect(kept(`<message><body><![CDATA[x]]></body></message>`)).toBe(false);
    expect(kept(`<message><p:x xmlns:p='urn:x'/></message>`)).toBe(false);
    expect(kept(`<message xmlns:p='urn:x'><x/></message>`)).toBe(false);
    expect(kept(`<message><x p:a='1' xmlns:p='urn:x'/></message>`)).toBe(false);
    expect(kept(`<message><stream:x/></message>`)).toBe(false);
    expect(kept(`<x xmlns='urn:x'><y/></x>`)).toBe(false);
    const other = `<s:stream xmlns:s='${NS.streams}' xmlns:c='${NS.client}'><c:message><c:body/></c:message>`;
    expect(read([other])[1]).toBe(`element <message><body/></message> | undefined`);
  });

  it('reads the content namespace of servers as that of clients, between servers alone', () => {
    const header = `<stream:stream xmlns='${NS.server}' xmlns:s='${NS.server}' xmlns:stream='${NS.streams}'>`;
    const elements = (text: string) => read([header, text], LIMITS, true).slice(1);
    expect(read([header], LIMITS, true)).toEqual([`open <stream xmlns='${NS.streams}'/> ${NS.server}`]);
    const message = `<message><body>hi</body></message>`;
    expect(elements(message)).toEqual([`element ${message} | <body>hi</body></message>`]);
    expect(elements(`<message xmlns='${NS.server}'><body>hi</body></message>`)).toEqual([
      `element ${message} | <body>hi</body></message>`,
    ]);
    // here the text would mean something else to a client
    for (const text of [
      `<message><body xmlns='${NS.server}'>hi</body></message>`,
      `<s:message><s:body>hi</s:body></s:message>`,
    ]) {
      expect(elements(text)).toEqual([`element ${message} | undefined`]);
    }
    const forwarded = `<message><forwarded xmlns='urn:xmpp:forward:0'>PART</forwarded></message>`;
    const inner = `<message xmlns='${NS.client}'><body/></message>`;
    expect(elements(forwarded.replace('PART', inner))[0]).toContain(`${inner}</forwarded></message> | <forwarded`);
    expect(elements(forwarded.replace('PART', inner.replace(NS.client, NS.server)))).toEqual([
      `element ${forwarded.replace('PART', inner)} | undefined`,
    ]);
    expect(inStream(`<message><body xmlns='${NS.server}'>hi</body></message>`)).toEqual([
      `element <message><body xmlns='${NS.server}'>hi</body></message> | undefined`,
    ]);
  });

  it.each([
    ['an end tag of another name', '<message></iq>', ['not-well-formed']],
    ['an end tag whose name goes on with a letter that looks like white space', '<iq></iq\ufeff>', ['not-well-formed']],
    ['a complete element before the fault', '<iq/><message></iq>', ['element <iq/> | ', 'not-well-formed']],
    ['an unknown entity', '<a>&nbsp;</a>', ['not-well-formed']],
    ['an undeclared prefix', '<p:a/>', ['bad-namespace-prefix']],
    ['two attributes of one name', `<a b='1' b='2'/>`, ['not-well-formed']],
    ['two prefixes of one namespace', `<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>`, ['not-well-formed']],
    ['a name with two colons', `<a:b:c xmlns:a='u'/>`, ['not-well-formed']],
    ['a prefix declared as nothing', `<a xmlns:p=''/>`, ['not-well-formed']],
    ['the xml prefix bound to something else', `<a xmlns:xml='u'/>`, ['not-well-formed']],
    ['a comment', '<!-- -->', ['restricted-xml']],
    ['a processing instruction', '<?a b?>', ['restricted-xml']],
    ['text between stanzas', '<iq/>x<iq/>', ['element <iq/> | ', 'bad-format']],
    ['a control character', '<a>\u0001</a>', ['not-well-formed']],
    ['a control character by number', '<a>&#1;</a>', ['not-well-formed']],
    ['a surrogate by number', '<a>&#xD800;</a>', ['not-well-formed']],
    ['too many levels', '<a>'.repeat(9), ['policy-violation']],
    ['too many elements', `<a>${'<b/>'.repeat(32)}</a>`, ['policy-violation']],
    [
      'too many attributes',
      `<a ${Array.from({ length: 17 }, (_, i) => `a${i}='1'`).join(' ')}/>`,
      ['policy-violation'],
    ],
    ['too long a name', `<${'a'.repeat(101)}/>`, ['policy-violation']],
    ['too long a namespace', `<a xmlns='${'a'.repeat(101)}'/>`, ['policy-violation']],
    ['too many bytes', `<a>${'x'.repeat(10_000)}`, ['policy-violation']],
    [
      'attributes whose prefix stands for much',
      `<a xmlns:p='${'u'.repeat(100)}'>${MANY.repeat(7)}</a>`,
      ['policy-violation'],
    ],
    [
      'elements whose prefix stands for much',
      `<a xmlns:p='${'u'.repeat(100)}'>${'<p:b/>'.repeat(31)}</a>`,
      ['policy-violation'],
      { ...LIMITS, maxBytes: 2000 },
    ],
  ])('refuses %s', (_, text, expected, limits = LIMITS) => {
    expect(inStream(text, limits)).toEqual(expected);
  });

  it.each([
    ['a document type', `<!DOCTYPE a><a/>`, 'restricted-xml'],
    ['XML 1.1', `<?xml version='1.1'?><a/>`, 'not-well-formed'],
    ['another encoding', `<?xml version='1.0' encoding='latin1'?><a/>`, 'unsupported-encoding'],
    ['no XML', `GET / HTTP/1.1\r\n\r\n`, 'bad-format'],
  ])('refuses %s at the beginning', (_, text, condition) => {
    expect(read([text]).at(-1)).toMatch(condition === 'bad-format' ? /bad-format|not-well-formed/ : condition);
  });

  it.each([
    ['a lone continuation byte', [0x80]],
    ['an overlong form', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a character that stops short', [0xe2, 0x82, 0x41]],
  ])('refuses %s', (_, bytes) => {
    const chunks = [Buffer.from(`${HEADER}<a>`), Buffer.from(bytes), Buffer.from('xxxx</a>')];
    expect(read(chunks).at(-1)).toBe('not-well-formed');
    expect(read([Buffer.concat(chunks)]).at(-1)).toBe('not-well-formed');
  });

  it('hands out what came complete before something that is not UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from(`${HEADER}<iq/>`), Buffer.from([0x80])]);
    expect(read([bytes]).slice(1)).toEqual(['element <iq/> | ', 'not-well-formed']);
  });

  it('counts bytes for each element alone, and not white space between them', () => {
    const element = `<a>${'x'.repeat(9000)}</a>`;
    expect(inStream(element.repeat(20))).toHaveLength(20);
    expect(read([HEADER, ...Array.from({ length: 50 }, () => ' '.repeat(9000)), '<iq/>']).at(-1)).toBe(
      'element <iq/> | ',
    );
    expect(inStream(`${' '.repeat(9000)}${element}${' '.repeat(9000)}${element}`)).toHaveLength(2);
  });

  it('takes an element of exactly the limit and none that is a byte longer, however it is split', () => {
    const exact = `<a>${'x'.repeat(10_000 - 7)}</a>`;
    expect(inStream(exact)).toHaveLength(1);
    expect(inStream(`<a>x${exact.slice(3)}`)).toEqual(['policy-violation']);
    expect(read([HEADER, ...(exact.match(/.{1,999}/g) ?? [])])).toHaveLength(2);
  });

  it('does nothing after the first error', () => {
    let elements = 0;
    const reader = new XmlReader({ onStreamOpen() {}, onElement: () => elements++, onStreamClose() {} }, LIMITS);
    expect(() => reader.write(Buffer.from(`${HEADER}</x>`))).toThrow(StreamError);
    reader.write(Buffer.from('<iq/>'));
    expect(elements).toBe(0);
  });

  it('gives the same whichever way the bytes are split', () => {
    const piece = fc.constantFrom<string | Buffer>(
      `<message to='a@b.lit'><body>é€😀 &amp; </body></message>`,
      `<a xmlns='urn:x'>\r\n<b p:c='d' xmlns:p='urn:p'/>\r</a>`,
      '<iq/>',
      ' \r\n',
      '</iq>',
      '<x></y>',
      '&lt;',
      '<!-- -->',
      '<a>]]></a>',
      '<a><![CDATA[<&]]></a>',
      '</stream:stream>',
      '<q ',
      '\u0000',
      Buffer.from([0xe2, 0x82]),
      Buffer.from([0xff]),
      ' '.repeat(9_999),
      `<a>${'é'.repeat(4_990)}</a>`,
      ' &#32;<![CDATA[ ]]>',
    );
    const cut = fc.oneof(fc.nat(400), fc.nat(30_000));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.array(cut, { maxLength: 12 }), (pieces, cuts) => {
        const bytes = Buffer.concat([HEADER, ...pieces].map((each) => Buffer.from(each)));
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of [...cuts].sort((a, b) => a - b)) {
          if (cut > at && cut < bytes.length) {
            chunks.push(bytes.subarray(at, cut));
            at = cut;
          }
        }
        chunks.push(bytes.subarray(at));
        expect(read(chunks)).toEqual(read([bytes]));
      }),
      { numRuns: 1000 },
    );
  });

  describe('reads plain elements without the parser', () => {
    // a root with another prefix shares no parser, and everything in it goes through one; no case below hits on that prefix
    const OTHER = `<other:stream to='a.lit' version='1.0' xmlns='${NS.client}' xmlns:other='${NS.streams}'>`;
    const agree = (text: string, limits = LIMITS) => {
      const quickly = read([HEADER, text], limits).slice(1);
      const parsed = read([OTHER, text], limits).slice(1);
      expect(quickly).toEqual(parsed);
      return quickly;
    };

    const value = fc.oneof(
      fc.stringMatching(/^[a-z<>&'" \t\n\r\]\u00e9\u{1f600}\ufffe\u0001]{0,6}$/u),
      fc.constantFrom('jabber:client', 'urn:x', '', 'http://www.w3.org/XML/1998/namespace', '&amp;', '&#13;', ']]>'),
    );
    const name = fc.constantFrom('a', 'message', 'b-1', '1b', 'x:a', 'xml:lang', 'xmlns', 'xmlns:x', 'é', '_', '.');
    const attribute = fc
      .tuple(fc.constantFrom(' ', '  ', '\n', '', '\t'), name, fc.constantFrom('=', ' = ', ''), value)
      .map(([space, key, equals, text]) => `${space}${key}${equals}'${text}'`);
    const element = fc.letrec<{ element: string; node: string }>((tie) => ({
      node: fc.oneof({ maxDepth: 3 }, value, tie('element')),
      element: fc
        .tuple(name, fc.array(attribute, { maxLength: 3 }), fc.array(tie('node'), { maxLength: 3 }), name, fc.nat(9))
        .map(([open, attributes, nodes, close, kind]) => {
          if (kind === 0) return `<${open}${attributes.join('')}/>`;
          return `<${open}${attributes.join('')}>${nodes.join('')}</${kind === 1 ? close : open}${kind === 2 ? ' ' : ''}>`;
        }),
    })).element;

    it('just as the parser does', () => {
      const plain: string[] = [];
      fc.assert(
        fc.property(fc.array(element, { minLength: 1, maxLength: 3 }), (elements) => {
          plain.push(...agree(elements.join(' ')).filter((event) => event.startsWith('element')));
        }),
        { numRuns: 3000 },
      );
      expect(plain.length).toBeGreaterThan(100); // not all of it was wrong
    });

    it('however they are damaged', () => {
      const whole = `<message to='a@b.lit' xml:lang='en'><body>x &lt; é😀</body><x xmlns='urn:x' y="1"/></message><iq/>`;
      fc.assert(
        fc.property(fc.nat(whole.length), fc.nat(6), fc.string({ maxLength: 2 }), (at, cut, put) => {
          agree(whole.slice(0, at) + put + whole.slice(at + cut));
        }),
        { numRuns: 3000 },
      );
    });

    it('wherever the bytes are split', () => {
      const cuts = fc.array(fc.nat(600), { maxLength: 6 });
      fc.assert(
        fc.property(fc.array(element, { minLength: 1, maxLength: 4 }), cuts, (elements, places) => {
          const bytes = Buffer.from(`<iq/>${elements.join('<message><body>hi</body></message>')}<iq/>`);
          const ends = [...places.sort((a, b) => a - b), bytes.length];
          const chunks = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
          expect(read([HEADER, ...chunks]).slice(1)).toEqual(read([OTHER, bytes]).slice(1));
        }),
        { numRuns: 1000 },
      );
    });

    it.each([
      ['depth', '<a>'.repeat(9) + '</a>'.repeat(9)],
      ['number of elements', `<a>${'<b/>'.repeat(32)}</a>`],
      ['number of attributes', `<a ${Array.from({ length: 17 }, (_, i) => `a${i}='1'`).join(' ')}/>`],
      ['length of names', `<${'a'.repeat(101)}/>`],
      ['length of namespaces', `<a xmlns='${'a'.repeat(101)}'/>`],
    ])('with the same limit of %s', (_, text) => {
      expect(agree(text)).toEqual(['policy-violation']);
    });
  });
});
