import { describe, expect, it } from 'vitest';
import { Element } from './element.ts';
import { Jid } from './jid.ts';
import { NS } from './namespaces.ts';
import { errorElement, iq, isStanza, message, presence, stanzaOf } from './stanza.ts';
import { StanzaError } from './stanza-error.ts';

const romeo = Jid.parse('romeo@montague.lit/orchard');
const juliet = Jid.parse('juliet@capulet.lit/balcony');

describe('Stanza', () => {
  it('reads its addresses, and keeps attributes that it does not know', () => {
    const element = Element.of('message', NS.client, {
      to: 'Juliet@Capulet.lit/balcony',
      'xml:lang': 'en',
      extra: 'x',
    });
    const stanza = stanzaOf(element);
    expect(stanza.to?.toString()).toBe('juliet@capulet.lit/balcony');
    expect(stanza.lang).toBe('en');
    expect(stanza.toString()).toBe(`<message to='juliet@capulet.lit/balcony' xml:lang='en' extra='x'/>`);
  });

  it('relays the text that came in, with `from` put in place', () => {
    const body = new Element('body', NS.client, [], ['a < b']);
    const element = new Element('message', NS.client, ['to', 'a@b.lit'], [body], '<body>a &#60; b</body></message>');
    expect(stanzaOf(element).withFrom(romeo).toString()).toBe(
      `<message to='a@b.lit' from='romeo@montague.lit/orchard'><body>a &#60; b</body></message>`,
    );
  });

  it('serialises anew where children change', () => {
    const element = new Element('message', NS.client, [], ['x'], 'x</message>');
    const changed = stanzaOf(element).append(Element.of('delay', NS.delay));
    expect(changed.toString()).toBe(`<message>x<delay xmlns='urn:xmpp:delay'/></message>`);
  });

  it('takes a language where it has none, and is relayed as it was otherwise', () => {
    const body = new Element('body', NS.client, [], ['a < b']);
    const plain = stanzaOf(new Element('message', NS.client, [], [body], '<body>a &#60; b</body></message>'));
    expect(plain.withLang('de').toString()).toBe(`<message xml:lang='de'><body>a &#60; b</body></message>`);
    const french = message({ lang: 'fr' });
    expect(french.withLang('de')).toBe(french);
  });

  it('leaves the original as it was', () => {
    const original = message({ to: juliet, from: romeo, type: 'chat' }, Element.of('body', NS.client, {}, 'hi'));
    const text = original.toString();
    original.withTo(romeo);
    original.with({ type: 'normal', from: undefined });
    original.append(Element.of('x', 'urn:x'));
    expect(original.toString()).toBe(text);
  });

  it('answers with addresses exchanged', () => {
    const request = iq({ to: juliet, from: romeo, id: '1', type: 'get' }, Element.of('ping', NS.ping));
    expect(request.result().toString()).toBe(
      `<iq to='romeo@montague.lit/orchard' from='juliet@capulet.lit/balcony' id='1' type='result'/>`,
    );
    expect(request.error(new StanzaError('item-not-found')).toString()).toBe(
      `<iq to='romeo@montague.lit/orchard' from='juliet@capulet.lit/balcony' id='1' type='error'>` +
        `<error code='404' type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
    );
  });

  it('is answered by an error that has something beside it', () => {
    const query = Element.of('query', NS.register);
    const error = new StanzaError('not-authorized', { beside: query });
    const [first, second] = iq({ to: juliet, type: 'set' }).error(error).toElement().elements;
    expect([first?.name, second?.name]).toEqual(['query', 'error']);
  });

  it('escapes addresses', () => {
    const odd = Jid.parse(`a@b.lit/x'&<y>`);
    expect(presence({ to: odd }).toString()).toBe(`<presence to='a@b.lit/x&apos;&amp;&lt;y&gt;'/>`);
  });

  it('refuses an address that is none', () => {
    expect(() => stanzaOf(Element.of('message', NS.client, { to: '@x' }))).toThrow(StanzaError);
  });

  it('knows a stanza by name and namespace', () => {
    expect(isStanza(Element.of('message', NS.client))).toBe(true);
    expect(isStanza(Element.of('message', NS.server))).toBe(false);
    expect(isStanza(Element.of('constructor', NS.client))).toBe(false);
  });

  it('answers an element that is no stanza without addresses of its own', () => {
    const element = Element.of('iq', NS.client, { to: '@', from: 'forged@x', id: '7', type: 'get' });
    const answer = errorElement(element, new StanzaError('jid-malformed'));
    expect([answer.attr('id'), answer.attr('type'), answer.attr('to'), answer.attr('from')]).toEqual([
      '7',
      'error',
      undefined,
      undefined,
    ]);
  });
});
