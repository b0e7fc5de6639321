import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Element } from './element.ts';
import { Jid } from './jid.ts';
import { NS } from './namespaces.ts';
import { message, presence, type Stanza } from './stanza.ts';
import { stanzaFromText } from './stanza-text.ts';

const again = (stanza: Stanza) => stanzaFromText(Buffer.from(stanza.toString()));

describe('stanzaFromText', () => {
  it('gives back what was written', () => {
    const stanza = message(
      { to: Jid.parse('juliet@capulet.lit'), from: Jid.parse('romeo@montague.lit/orchard'), id: 'a1', lang: 'it' },
      Element.of('body', NS.client, {}, 'Ò "dolce" <notte> & \r\n 🌙'),
      new Element('x', 'urn:x', ['{urn:y}z', "'"], [Element.of('plain', '')]),
    );
    expect(again(stanza).toElement()).toEqual(stanza.toElement());
    expect(again(presence({}))).toMatchObject({ kind: 'presence', to: undefined, children: [] });
  });

  it('gives back any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        // characters that XML cannot hold never come in
        fc.pre(/^[\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u.test(text));
        const body = Element.of('body', NS.client, {}, text);
        expect(again(message({}, body)).childText('body')).toBe(text);
      }),
    );
  });

  it('knows no prefix that the text does not declare', () => {
    expect(() => stanzaFromText(Buffer.from('<message><stream:x/></message>'))).toThrow('not declared');
  });

  it.each([
    ['nothing', ''],
    ['half a stanza', '<message><body>'],
    ['two stanzas', '<message/><message/>'],
    ['something behind it', '<message/><presence'],
    ['another element', "<x xmlns='urn:x'/>"],
    ['the end of the stream', '<message/></stream>'],
    ['no XML', 'message'],
    ['an address that is none', "<message to='@'/>"],
    ['bytes that are no UTF-8', Buffer.from([60, 0xff])],
  ])('refuses %s', (_, text) => {
    expect(() => stanzaFromText(Buffer.from(text as string))).toThrow();
  });
});
