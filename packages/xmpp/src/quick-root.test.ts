import { describe, expect, it } from 'vitest';
import { quickRoot, quickRootEnd } from './quick-root.ts';

const ROOT = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'";

describe('the start tag of a plain root', () => {
  it.each([
    ['alone', `${ROOT}>`],
    ['behind a declaration', `<?xml version='1.0'?>${ROOT}>`],
    ['behind one that names the encoding', `<?xml version="1.0" encoding="UTF-8" ?>\n${ROOT} >`],
  ])('is read %s', (_, text) => {
    expect(quickRoot(text)).toEqual({
      attributes: { xmlns: 'jabber:client', 'xmlns:stream': 'http://etherx.jabber.org/streams' },
      end: text.length,
    });
  });

  it('ends where it ends', () => {
    const text = `${ROOT} to="it's" xml:lang='en'>`;
    expect(quickRoot(`${text}<a/>`)).toMatchObject({ attributes: { to: "it's", 'xml:lang': 'en' }, end: text.length });
  });

  it.each([
    ['incomplete', ROOT],
    ['incomplete within a value', `${ROOT} to='a`],
    ['another element', "<stream xmlns='jabber:client'>"],
    ['longer in its name', "<stream:streams xmlns='jabber:client'>"],
    ['an attribute that stands twice', `${ROOT} to='a' to='b'>`],
    ['a reference', `${ROOT} to='a&amp;b'>`],
    ['a tag in a value', `${ROOT} to='a<b'>`],
    ['beyond ASCII', `${ROOT} to='bücher.example'>`],
    ['a line within a value', `${ROOT} to='a\nb'>`],
    ['attributes without space between', `${ROOT}to='a'>`],
    ['empty', `${ROOT}/>`],
    ['many attributes', `${ROOT}${Array.from({ length: 16 }, (_, i) => ` ${'a'.repeat(i + 1)}='x'`).join('')}>`],
    ['a declaration in capitals', `<?XML version='1.0'?>${ROOT}>`],
    ['a version in capitals', `<?xml VERSION='1.0'?>${ROOT}>`],
    ['an encoding in capitals', `<?xml version='1.0' ENCODING='utf-8'?>${ROOT}>`],
    ['another version of XML', `<?xml version='1.1'?>${ROOT}>`],
    ['another encoding', `<?xml version='1.0' encoding='latin1'?>${ROOT}>`],
    ['space before the declaration', ` <?xml version='1.0'?>${ROOT}>`],
    ['a comment before it', `<!-- -->${ROOT}>`],
  ])('is left to the parser: %s', (_, text) => {
    expect(quickRoot(text)).toBeUndefined();
  });
});

it('finds the end tag where it is the plain one', () => {
  expect(quickRootEnd('x</stream:stream> ', 1)).toBe(17);
  expect(quickRootEnd('</stream:stream >', 0)).toBeUndefined();
  expect(quickRootEnd('</stream:strea', 0)).toBeUndefined();
});
