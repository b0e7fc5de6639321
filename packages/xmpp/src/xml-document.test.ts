import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { XmlDocument, XmlDocumentError } from './xml-document.ts';

const LIMITS = { maxBytes: 1000, maxElements: 20, maxDepth: 8, maxAttributes: 4, maxNameLength: 60 };

/** What is told of a text that comes in pieces of this size: elements below the second level as a whole. */
function told(text: string | Buffer, size = 1_000_000, limits = LIMITS): string[] {
  const events: string[] = [];
  const document = new XmlDocument(
    {
      onOpen(element, depth, line) {
        if (element.name === 'skipped') return 'skip';
        if (depth > 1) return 'whole';
        events.push(`+${element} ${line}`);
        return 'enter';
      },
      onElement: (element, line) => void events.push(`${element} ${line}`),
      onTooLarge: (element, line) => void events.push(`! ${element} ${line}`),
      onClose: (depth, line) => void events.push(`-${depth} ${line}`),
    },
    limits,
  );
  const bytes = Buffer.from(text);
  try {
    for (let at = 0; at < bytes.length; at += size) document.write(bytes.subarray(at, at + size));
    document.end();
  } catch (error) {
    if (!(error instanceof XmlDocumentError)) throw error;
    events.push(`line ${error.line}: ${error.message}`);
  }
  return events;
}

const GOOD = `<?xml version='1.0' encoding='UTF-8'?>
<!-- by hand -->
<a xmlns='urn:a' xmlns:p='urn:p'>
  <b n='1'>
    <c>t &amp; é<d/><![CDATA[<x>]]></c>
    <skipped><c>no</c></skipped>
    <p:e p:f='&lt;'/>
  </b>
</a>
`;
const EVENTS = [
  "+<a xmlns='urn:a'/> 3",
  "+<b xmlns='urn:a' n='1'/> 4",
  "<c xmlns='urn:a'>t &amp; é<d/>&lt;x&gt;</c> 5",
  "<e xmlns='urn:p' xmlns:a0='urn:p' a0:f='&lt;'/> 7",
  '-1 8',
  '-0 9',
];

it('tells elements, with their lines, however they come', () => {
  for (const size of [1, 2, 7, 1000]) expect(told(GOOD, size)).toEqual(EVENTS);
});

describe('reads no', () => {
  it.each([
    ['document type', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 'Document type declarations are not read.'],
    ['entities', '<a>&x;</a>', 'This is not well-formed XML: undefined entity.'],
    [
      'other encodings',
      "<?xml version='1.0' encoding='latin1'?><a/>",
      'The encoding is UTF-8, and no other one is read.',
    ],
    ['bytes that are not UTF-8', Buffer.from('<a>\xff</a>', 'latin1'), 'This is not UTF-8.'],
    ['other versions', "<?xml version='1.1'?><a/>", 'The XML version is 1.0.'],
    ['names with two colons', '<a:b:c/>', 'A name is malformed.'],
    ['prefixes of nothing', '<a><b><x:c/></b></a>', 'A prefix is not declared.'],
    ['end that is none', '<a><b></a>', 'This is not well-formed XML: unexpected close tag.'],
    ['half file', '<a><b>', 'The file ends before its last element does.'],
    ['empty file', '', 'The file ends before its last element does.'],
  ])('%s', (_, text, message) => {
    expect(told(text).at(-1)).toBe(`line 1: ${message}`);
  });
});

it.each([
  ['bytes in one piece', `<a><b><c>${'x'.repeat(4200)}</c></b></a>`],
  ['bytes in one piece', `<a><b n='${'x'.repeat(4200)}'/></a>`],
  ['bytes in one piece', `<a><b><skipped>${'x'.repeat(4200)}</skipped></b></a>`],
  ['levels of elements', '<a>'.repeat(10)],
  ['attributes of one element', `<a b='' c='' d='' e='' f=''/>`],
  ['characters of a name', `<${'a'.repeat(61)}/>`],
])('stops at more %s', (what, text) => {
  expect(told(text, 100).at(-1)).toContain(what);
});

it.each([
  ['bytes', `<c>${'<d>0123456789</d>'.repeat(100)}</c>`],
  ['bytes of a text', `<c>${'x'.repeat(1500)}</c>`],
  ['elements', `<c>${'<d/>'.repeat(30)}</c>`],
  ['namespaces', `<c xmlns:p='urn:${'p'.repeat(50)}'>${'<p:d/>'.repeat(19)}</c>`],
])('leaves one thing with too many %s aside, and goes on behind it', (_, text) => {
  const events = told(`<a><b>${text}<e>1</e></b></a>`, 100, { ...LIMITS, maxBytes: 800 });
  expect(events).toEqual(['+<a/> 1', '+<b/> 1', expect.stringMatching(/^! <c/), '<e>1</e> 1', '-1 1', '-0 1']);
});

it('goes through any amount of what is small, or skipped', () => {
  expect(told(`<a><b>${'<c>x</c>'.repeat(5000)}</b></a>`, 100).length).toBe(5004);
  expect(told(`<a><b><skipped>${'<c>x</c>'.repeat(5000)}</skipped></b></a>`, 100).length).toBe(4);
});

it('says the same of broken files, however they come, and never throws anything else', () => {
  const bytes = Buffer.from(GOOD);
  const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(bytes.length), fc.uint8Array({ maxLength: 6 }));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), fc.integer({ min: 1, max: 40 }), (changes, size) => {
      let broken = bytes;
      for (const [at, cut, put] of changes) {
        broken = Buffer.concat([broken.subarray(0, at), put, broken.subarray(Math.min(cut % 9, 8) + at)]);
      }
      const whole = told(broken);
      const pieces = told(broken, size);
      const failed = (events: string[]) => events.at(-1)?.startsWith('line ') ?? false;
      expect(failed(pieces)).toBe(failed(whole)); // which of several faults is told depends on what has come
      if (!failed(whole)) expect(pieces).toEqual(whole);
    }),
    { numRuns: 500 },
  );
});
