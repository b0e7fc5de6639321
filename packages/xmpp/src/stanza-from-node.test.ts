import { expect, it } from 'vitest';
import { Jid } from './jid.ts';
import { stanzaFromNode, stanzaFromText } from './stanza-text.ts';

const TO = "<message to='juliet@capulet.lit/balcony'";
const FROM = "from='romeo@montague.lit/orchard' id='1' type='chat'";

it.each([
  ['plain', `${TO} ${FROM}><body>Wherefore?</body><x xmlns='urn:x'/></message>`],
  ['with entities', `${TO} ${FROM}><body>Art &amp; &lt;thou&gt;</body></message>`],
  ['without children', `${TO} ${FROM}/>`],
  ['without an end of its own', `${TO} ${FROM}></message>`],
  ['with a language', `${TO} ${FROM} xml:lang='la'><body>Cur?</body></message>`],
  ['with entities in the address', `<message to='a@b/&apos;&amp;' ${FROM}><body>x</body></message>`],
  ['with the address further on', `<message ${FROM} to='juliet@capulet.lit'><body>x</body></message>`],
  ['an iq', "<iq to='juliet@capulet.lit' id='1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>"],
])('a stanza of another node (%s) is the same as one that is read at once', (_, text) => {
  const [late, read] = [stanzaFromNode(Buffer.from(text)), stanzaFromText(Buffer.from(text))];
  const seen = (stanza: typeof late) => [
    stanza.kind,
    `${stanza.to}`,
    `${stanza.from}`,
    stanza.id,
    stanza.type,
    stanza.lang,
  ];
  expect(seen(late)).toEqual(seen(read));
  const origin = { sid: 'a'.repeat(16), k: 1, effect: 0 };
  const copies = (stanza: typeof late) => [
    stanza.withOrigin(origin),
    stanza.withTo(Jid.parse('nurse@capulet.lit')),
    stanza.withFrom(undefined),
    stanza.withLang('it'),
    stanza.with({ id: '2' }),
  ];
  const texts = (stanza: typeof late) =>
    [stanza, ...copies(stanza)].map((each) => stanzaFromText(Buffer.from(`${each}`)));
  const elements = (stanza: typeof late) => texts(stanza).map((each) => each.toElement());
  expect(elements(late)).toEqual(elements(read));
  expect(late.children).toEqual(read.children);
  expect(late.append('end').toString()).toBe(read.append('end').toString());
  expect(late.toElement()).toEqual(read.toElement());
});

it.each(['', 'message', '<message', `${TO}>`, `<message to='a'></message><message></message`, Buffer.from([0xff])])(
  'what is no stanza is told at once: %s',
  (text) => expect(() => stanzaFromNode(Buffer.from(text as string))).toThrow(),
);

it('what turns out to be none is told to whoever asks what it holds', () => {
  const stanza = stanzaFromNode(Buffer.from(`${TO} ${FROM}><body></message>`));
  expect(() => stanza.children).toThrow('unexpected close tag');
});
