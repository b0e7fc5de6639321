import { expect, it } from 'vitest';
import { NS } from './namespaces.ts';
import { StreamError } from './stream-error.ts';
import { XmlReader } from './xml-reader.ts';

const LIMITS = { maxBytes: 100_000, maxElements: 100, maxDepth: 16, maxAttributes: 100, maxNameLength: 1000 };
const HEADER = `<stream:stream xmlns='${NS.client}' xmlns:stream='${NS.streams}'>`;

/** The condition that ends a stream which holds this document, or "taken" or "unfinished". */
function verdict(document: string): string {
  let closed = false;
  const onStreamClose = () => {
    closed = true;
  };
  const reader = new XmlReader({ onStreamOpen() {}, onElement() {}, onStreamClose }, LIMITS);
  try {
    reader.write(Buffer.from(document));
  } catch (error) {
    if (error instanceof StreamError) return error.condition;
    throw error;
  }
  return closed ? 'taken' : 'unfinished';
}

const within = (text: string) => `${HEADER}${text}</stream:stream>`;

// Productions and constraints of XML 1.0 (fifth edition), and of Namespaces in XML 1.0.
it.each([
  // §2.1 documents
  ['', 'unfinished'],
  ['x<a/>', 'not-well-formed'],
  ['&lt;a/>', 'not-well-formed'],
  ['</a>', 'not-well-formed'],
  ['<a/><b/>', 'not-well-formed'],
  ['<a/>x', 'not-well-formed'],
  ['<a/></a>', 'not-well-formed'],
  ['<a></a >', 'taken'],
  ['<a></ a>', 'not-well-formed'],
  ['<a', 'unfinished'],
  // §2.8 the declaration
  [`<?xml version='1.0'?><a/>`, 'taken'],
  [`<?xml version="1.0" encoding='utf-8' standalone="no" ?>\n<a/>`, 'taken'],
  [` <?xml version='1.0'?><a/>`, 'not-well-formed'],
  [`<?xml version='1.0'><a/>`, 'not-well-formed'],
  [`<?xml version=1.0?><a/>`, 'not-well-formed'],
  [`<?xml encoding='UTF-8'?><a/>`, 'not-well-formed'],
  [`<?xml encoding='UTF-8' version='1.0'?><a/>`, 'not-well-formed'],
  [`<?xml version='1.0' standalone='maybe'?><a/>`, 'not-well-formed'],
  [`<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>`, 'not-well-formed'],
  [`<?xml version='1.0'encoding='UTF-8'?><a/>`, 'not-well-formed'],
  [`<?xml version='1.0' other='x'?><a/>`, 'not-well-formed'],
  [`<?XML version='1.0'?><a/>`, /not-well-formed|restricted-xml/],
  [`<?xml version='1.0'?><?xml version='1.0'?><a/>`, /not-well-formed|restricted-xml/],
  [`<?xml version='1.0' encoding='UTF-16'?><a/>`, 'unsupported-encoding'],
  [`<?xml version='1.1'?><a/>`, 'not-well-formed'],
  // RFC 6120 §11.1: what is left out of XML
  ['<!DOCTYPE a><a/>', 'restricted-xml'],
  ['<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 'restricted-xml'],
  ['<!DOCTYPE a SYSTEM "http://example.com/a.dtd"><a/>', 'restricted-xml'],
  ['<!-- --><a/>', 'restricted-xml'],
  ['<?a?><a/>', 'restricted-xml'],
])('the document %j is %s', (document, expected) => {
  expect(verdict(document)).toMatch(expected);
});

it.each<[string, string | RegExp]>([
  // §2.2 characters
  ['<a>\t\n\r \u0080\u0085\u2028\ud7ff\ue000\ufffd\u{10000}\u{10ffff}</a>', 'taken'],
  ...Array.from({ length: 32 }, (_, code): [string, string] => [
    `<a>${String.fromCharCode(code)}</a>`,
    code === 9 || code === 10 || code === 13 ? 'taken' : 'not-well-formed',
  ]),
  ['<a>\ufffe</a>', 'not-well-formed'],
  ['<a>\uffff</a>', 'not-well-formed'],
  [`<a b='\u0001'/>`, 'not-well-formed'],
  ['<a>\u007f</a>', 'taken'],
  // §2.3 names
  ['<a-b.c_1·\u0300/>', 'taken'],
  ['<_/>', 'taken'],
  ['<é/>', 'taken'],
  ['<\u{10000}/>', 'taken'],
  ['<1/>', 'not-well-formed'],
  ['<-a/>', 'not-well-formed'],
  ['<.a/>', 'not-well-formed'],
  ['<·a/>', 'not-well-formed'],
  ['<\u0300/>', 'not-well-formed'],
  ['<a$/>', 'not-well-formed'],
  ['<a×/>', 'not-well-formed'],
  ['<a\u2028b/>', 'not-well-formed'],
  ['< a/>', 'not-well-formed'],
  ['<>', 'not-well-formed'],
  ['</>', 'not-well-formed'],
  // §2.4 character data
  ['<a>></a>', 'taken'],
  ['<a>]]</a>', 'taken'],
  ['<a>]]></a>', 'not-well-formed'],
  ['<a>]]]></a>', 'not-well-formed'],
  // the parser waits for the semicolon of a reference: such a stream says no more until its limit ends it
  ['<a>&</a>', 'unfinished'],
  ['<a>a&b</a>', 'unfinished'],
  ['<a>& </a>;', 'not-well-formed'],
  ['<a><</a>', 'not-well-formed'],
  // §2.5 and §2.6
  ['<a><!-- --></a>', 'restricted-xml'],
  ['<a><!-- -- --></a>', /not-well-formed|restricted-xml/],
  ['<a><?b c?></a>', 'restricted-xml'],
  ['<a><?xml version="1.0"?></a>', /not-well-formed|restricted-xml/],
  ['<a><!DOCTYPE a></a>', /not-well-formed|restricted-xml/],
  ['<a><!ELEMENT a ANY></a>', 'not-well-formed'],
  ['<a><!b></a>', 'not-well-formed'],
  // §2.7
  ['<a><![CDATA[<b>&]]></a>', 'taken'],
  ['<a><![CDATA[]]]]></a>', 'taken'],
  ['<a><![CDATA[]]></a>', 'taken'],
  ['<a><![cdata[x]]></a>', 'not-well-formed'],
  ['<a><![CDATA [x]]></a>', 'not-well-formed'],
  ['<a><![CDATA[\u0001]]></a>', 'not-well-formed'],
  ['<a><![CDATA[x]]>]]></a>', 'not-well-formed'],
  // §3.1 tags
  ['<a></A>', 'not-well-formed'],
  ['<a></a b="c">', 'not-well-formed'],
  ['<a/ >', 'not-well-formed'],
  ['<a><b></a></b>', 'not-well-formed'],
  [`<a b='1' b='2'/>`, 'not-well-formed'],
  [`<a b='1' B='2'/>`, 'taken'],
  [`<a b='1'c='2'/>`, 'not-well-formed'],
  [`<a b = '1'\n c\t=\r"2"/>`, 'taken'],
  ['<a b=1/>', 'not-well-formed'],
  ['<a b/>', 'not-well-formed'],
  [`<a b=''''/>`, 'not-well-formed'],
  [`<a b='"' c="'"/>`, 'taken'],
  [`<a b='<'/>`, 'not-well-formed'],
  [`<a b='&lt;>'/>`, 'taken'],
  [`<a b='&'/>`, 'unfinished'],
  [`<a b='&'/>;`, 'not-well-formed'],
  [`<a b='&c;'/>`, 'not-well-formed'],
  [`<a 'b'='c'/>`, 'not-well-formed'],
  [`<a =''/>`, 'not-well-formed'],
  [`<a b='`, 'not-well-formed'],
  // §4.1 references
  ['<a>&lt;&gt;&amp;&apos;&quot;&#60;&#x3c;&#x3C;&#0000060;&#x10FFFF;&#xFFFD;&#9;</a>', 'taken'],
  ['<a>&nbsp;</a>', 'not-well-formed'],
  ['<a>&LT;</a>', 'not-well-formed'],
  ['<a>&lt</a>;', 'not-well-formed'],
  ['<a>&lt ;</a>', 'not-well-formed'],
  ['<a>&;</a>', 'not-well-formed'],
  ['<a>&#;</a>', 'not-well-formed'],
  ['<a>&#x;</a>', 'not-well-formed'],
  ['<a>&#3c;</a>', 'not-well-formed'],
  ['<a>&#X3C;</a>', 'not-well-formed'],
  ['<a>&#x 3C;</a>', 'not-well-formed'],
  ['<a>&#-60;</a>', 'not-well-formed'],
  ['<a>&#0;</a>', 'not-well-formed'],
  ['<a>&#8;</a>', 'not-well-formed'],
  ['<a>&#xD800;</a>', 'not-well-formed'],
  ['<a>&#xDFFF;</a>', 'not-well-formed'],
  ['<a>&#xFFFE;</a>', 'not-well-formed'],
  ['<a>&#x110000;</a>', 'not-well-formed'],
  ['<a>&#99999999999999999999;</a>', 'not-well-formed'],
  ['<a>&constructor;</a>', 'not-well-formed'],
  ['<a>&__proto__;</a>', 'not-well-formed'],
  // Namespaces in XML §3 to §6
  [`<p:a xmlns:p='urn:p' p:b=''/>`, 'taken'],
  ['<p:a/>', 'bad-namespace-prefix'],
  [`<a p:b=''/>`, 'bad-namespace-prefix'],
  [`<b><a xmlns:p='urn:p'/><p:a/></b>`, 'bad-namespace-prefix'],
  ['<xmlns:a/>', 'bad-namespace-prefix'],
  [`<xml:a xml:b=''/>`, 'taken'],
  ['<:a/>', 'not-well-formed'],
  ['<a:/>', 'not-well-formed'],
  [`<p:a:b xmlns:p='urn:p'/>`, 'not-well-formed'],
  [`<p:1 xmlns:p='urn:p'/>`, 'not-well-formed'],
  [`<a :b=''/>`, 'not-well-formed'],
  [`<a b:=''/>`, /not-well-formed|bad-namespace-prefix/],
  [`<p:a xmlns:p='urn:p'></q:a>`, 'not-well-formed'],
  [`<p:a xmlns:p='urn:p' xmlns:q='urn:p'></q:a>`, 'not-well-formed'],
  [`<a xmlns:p='u' xmlns:q='u' p:b='' q:b=''/>`, 'not-well-formed'],
  [`<a xmlns:p='u' xmlns='u' p:b='' b=''/>`, 'taken'],
  [`<a xmlns=''/>`, 'taken'],
  [`<a xmlns:p=''/>`, 'not-well-formed'],
  [`<a xmlns:xml='${NS.xml}'/>`, 'taken'],
  [`<a xmlns:xml='urn:a'/>`, 'not-well-formed'],
  [`<a xmlns:p='${NS.xml}'/>`, 'not-well-formed'],
  [`<a xmlns='${NS.xml}'/>`, 'not-well-formed'],
  [`<a xmlns:xmlns='${NS.xmlns}'/>`, 'not-well-formed'],
  [`<a xmlns:p='${NS.xmlns}'/>`, 'not-well-formed'],
])('in a stream, %j is %s', (text, expected) => {
  expect(verdict(within(text))).toMatch(expected);
});

it.each([
  ['<a/>&lt;<b/>', 'bad-format'],
  ['text<a/>', 'bad-format'],
  ['<![CDATA[text]]>', 'bad-format'],
  [' \r\n\t<a/> &#32;<![CDATA[ ]]><b/>', 'taken'],
])('between stanzas, %j is %s', (text, expected) => {
  expect(verdict(within(text))).toBe(expected);
});
