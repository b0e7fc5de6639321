import { describe, expect, it } from 'vitest';
import { Jid } from './jid.ts';
import { stanzaForClient, stanzaFromNode, stanzaFromText } from './stanza-text.ts';

const TO = "<message to='juliet@capulet.lit/balcony'";
const FROM = "from='romeo@montague.lit/orchard' id='1' type='chat'";

const juliet = Jid.parse('juliet@capulet.lit/balcony');
const forJuliet = (text: Buffer) => stanzaForClient(text, [juliet, juliet.bare], undefined);

describe.each([
  ['anybody', stanzaFromNode],
  ['a client', forJuliet],
])('for %s', (_for, fromNode) => {
  it.each([
    ['plain', `${TO} ${FROM}><body>Wherefore?</body><x xmlns='urn:x'/></message>`],
    ['with entities', `${TO} ${FROM}><body>Art &amp; &lt;thou&gt;</body></message>`],
    ['without children', `${TO} ${FROM}/>`],
    ['without an end of its own', `${TO} ${FROM}></message>`],
    ['with a language', `${TO} ${FROM} xml:lang='la'><body>Cur?</body></message>`],
    ['with entities in the address', `<message to='a@b/&apos;&amp;' ${FROM}><body>x</body></message>`],
    ['to the account', `<message to='juliet@capulet.lit' ${FROM}><body>x</body></message>`],
    ['to an address that begins alike', `<message to='juliet@capulet.lit.it' ${FROM}><body>x</body></message>`],
    ['with the address further on', `<message ${FROM} to='juliet@capulet.lit'><body>x</body></message>`],
    ['an iq', "<iq to='juliet@capulet.lit' id='1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>"],
  ])('a stanza of another node (%s) is the same as one that is read at once', (_, text) => {
    const [late, read] = [fromNode(Buffer.from(text)), stanzaFromText(Buffer.from(text))];
    const seen = (stanza: typeof late) => [
      stanza.kind,
      `${stanza.to}`,
      `${stanza.from}`,
      stanza.id,
      stanza.type,
      stanza.lang,
    ];
    expect(late.toString()).toBe(fromNode(Buffer.from(text)).withTo(read.to).toString());
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
    (text) => expect(() => fromNode(Buffer.from(text as string))).toThrow(),
  );

  it('what turns out to be none is told to whoever asks what it holds', () => {
    const stanza = fromNode(Buffer.from(`${TO} ${FROM}><body></message>`));
    expect(() => stanza.children).toThrow('unexpected close tag');
  });
});

it('a message to a client goes on as it came, and knows where it entered', () => {
  const origin = { sid: 'a'.repeat(16), k: 1, effect: 0 };
  for (const text of [
    `${TO} ${FROM}><body>Wherefore?</body></message>`,
    `<message to='juliet@capulet.lit'${' '}${FROM}><body>x</body></message>`,
    `<message to='nurse@capulet.lit'${' '}${FROM}><body>x</body></message>`,
  ]) {
    const stanza = stanzaForClient(Buffer.from(text), [juliet, juliet.bare], origin);
    expect([stanza.toString(), stanza.origin, stanza.kind]).toEqual([text, origin, 'message']);
    expect(stanza.withOrigin(undefined).origin).toBeUndefined();
  }
});

it('of a message to a client nothing is read before somebody asks', () => {
  const text = `${TO} from='no address@' type='chat'><body>x</body></message>`;
  const stanza = forJuliet(Buffer.from(text));
  expect([stanza.toString(), stanza.to]).toEqual([text, juliet]);
  expect(() => stanza.type).toThrow('address');
});
