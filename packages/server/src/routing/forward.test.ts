import { NS } from '@parley/xmpp/namespaces';
import type { Stanza } from '@parley/xmpp/stanza';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { expect, it } from 'vitest';
import { forward, isCopy } from './forward.ts';
import type { Router } from './router.ts';

const AT = Date.UTC(2026, 0, 1);
const origin = { sid: '0'.repeat(16), k: 1, effect: 0 };

function forwarded(text: string, at?: number): Stanza | undefined {
  const routed: Stanza[] = [];
  const router = { route: (stanza: Stanza) => void routed.push(stanza) } as unknown as Router;
  forward(router, stanzaFromText(Buffer.from(text)).withOrigin(origin), at);
  return routed[0];
}

const toClient = `from='romeo@montague.lit/orchard' to='juliet@capulet.lit/balcony'`;
const copy = (name: string) =>
  `<message from='juliet@capulet.lit' to='juliet@capulet.lit/balcony'><${name} xmlns='${NS.carbons}'/></message>`;

it.each([
  [`<message ${toClient} type='chat'><body>Hi</body></message>`, true],
  [`<message ${toClient} type='chat'><private xmlns='${NS.carbons}'/><body>Hi</body></message>`, true],
  [`<message ${toClient}><received xmlns='${NS.carbons}'/></message>`, true], // no copy of ours
  [copy('received'), false],
  [copy('sent'), false],
  [copy('private'), true],
  [`<message from='romeo@montague.lit/orchard'/>`, false],
  [`<iq ${toClient} type='get' id='1'><ping xmlns='${NS.ping}'/></iq>`, true],
  [`<iq ${toClient} type='set' id='1'><x xmlns='urn:example'/></iq>`, true],
  [`<iq ${toClient} type='result' id='1'/>`, false],
  [`<iq ${toClient} type='error' id='1'/>`, false],
  [`<iq from='capulet.lit' to='juliet@capulet.lit/balcony' type='get' id='1'><ping xmlns='${NS.ping}'/></iq>`, false],
  [
    `<iq from='juliet@capulet.lit' to='juliet@capulet.lit/balcony' type='set' id='1'><query xmlns='${NS.roster}'/></iq>`,
    false,
  ],
  [`<iq to='juliet@capulet.lit/balcony' type='set' id='1'><query xmlns='${NS.roster}'/></iq>`, false],
  [`<presence ${toClient}/>`, false],
  [`<presence ${toClient} type='subscribe'/>`, false],
])('%s goes on: %s', (text, expected) => {
  expect(forwarded(text) !== undefined).toBe(expected);
});

it('what was held back says since when, and is no longer one of a row', () => {
  const stanza = forwarded(`<message ${toClient}><body>Hi</body></message>`, AT);
  const delay = stanza?.child('delay', NS.delay);
  expect([delay?.attr('from'), delay?.attr('stamp')]).toEqual(['capulet.lit', '2026-01-01T00:00:00.000Z']);
  expect(stanza?.origin).toBeUndefined();
});

it('what was not says nothing, and is known again', () => {
  const stanza = forwarded(`<message ${toClient}><body>Hi</body></message>`);
  expect([stanza?.child('delay', NS.delay), stanza?.origin]).toEqual([undefined, origin]);
});

it('what was late before stays as late', () => {
  const delay = `<delay xmlns='${NS.delay}' stamp='2020-01-01T00:00:00Z'/>`;
  const stanza = forwarded(`<message ${toClient}>${delay}</message>`, AT);
  expect(stanza?.children).toHaveLength(1);
});

it('knows the copies that an account sends to itself', () => {
  expect(isCopy(stanzaFromText(Buffer.from(copy('sent'))))).toBe(true);
  expect(isCopy(stanzaFromText(Buffer.from('<message/>')))).toBe(false);
});
