import { expect, it } from 'vitest';
import { Element } from './element.ts';
import { forwarded } from './forwarded.ts';
import { NS } from './namespaces.ts';
import { message, type Stanza } from './stanza.ts';
import { stanzaFromText } from './stanza-text.ts';

const again = (stanza: Stanza) => stanzaFromText(Buffer.from(stanza.toString()));

it.each([
  [
    'relayed text',
    `<message from='romeo@montague.lit/orchard' type='chat'><body>Ò &amp;&#10;</body><x xmlns='urn:x'><y/></x></message>`,
  ],
  [
    'text that cannot be relayed',
    `<message xmlns:p='urn:p' p:a='1'><p:x><body xmlns='jabber:client'/></p:x></message>`,
  ],
  ['nothing', '<message/>'],
])('holds the stanza as it was: %s', (_, text) => {
  const stanza = stanzaFromText(Buffer.from(text)).withTo(undefined);
  const outer = message({}, Element.of('sent', NS.carbons, {}, forwarded(stanza)));
  const inner = again(outer).child('sent', NS.carbons)?.child('forwarded', NS.forward)?.firstChild;
  expect(inner?.toString()).toBe(stanza.toElement().toString());
  expect(forwarded(stanza).firstChild?.children).toBe(stanza.children);
});
