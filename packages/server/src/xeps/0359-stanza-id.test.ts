import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { message, presence } from '@parley/xmpp/stanza';
import { expect, it } from 'vitest';
import { startServer } from '../../../../tests/support/server.ts';
import module, { withoutIdsBy } from './0359-stanza-id.ts';

const juliet = Jid.parse('juliet@capulet.lit');
const body = Element.of('body', NS.client, {}, 'Typical body text');
const idBy = (by: string | undefined) => Element.of('stanza-id', NS.stanzaId, { id: '5f3dbc5e', by });
const origin = Element.of('origin-id', NS.stanzaId, { id: 'de305d54' });

it('takes away every id in the name of the account, however it is written', () => {
  const forged = ['juliet@capulet.lit', 'Juliet@CAPULET.lit', 'juliet@capulet.lit', 'juliet@capulet.lit.'].map(idBy);
  const kept = [body, origin, idBy('room@muc.example.com'), idBy('juliet@capulet.lit/balcony'), idBy(undefined)];
  const clean = withoutIdsBy(message({ type: 'chat' }, ...forged.slice(0, 2), ...kept, ...forged.slice(2)), juliet);
  expect(clean.children).toEqual(kept);
});

it('leaves messages as they came where there is nothing to take away', () => {
  const untouched = [message({}, body), message({}, body, origin), message({}, body, idBy('room@muc.example.com'))];
  for (const stanza of untouched) expect(withoutIdsBy(stanza, juliet)).toBe(stanza);
});

it('does not look into what the message carries', () => {
  const inner = Element.of('wrapped', 'urn:example', {}, idBy('juliet@capulet.lit'));
  const stanza = message({}, inner);
  expect(withoutIdsBy(stanza, juliet)).toBe(stanza);
});

it('is for messages alone', () => {
  const stanza = presence({}, idBy('juliet@capulet.lit'));
  expect(withoutIdsBy(stanza, juliet)).toBe(stanza);
});

it('reaches no recipient with an id in the name of either account', async () => {
  const server = await startServer({ modules: [module] });
  const romeo = await server.client('romeo@localhost/orchard');
  const juliet = await server.client('juliet@localhost/balcony');
  const ids = ['JULIET@localhost', 'romeo@localhost', 'localhost'].map((by) => idBy(by).toString()).join('');
  romeo.send(`<message to='juliet@localhost/balcony'><body>x</body>${ids}</message>`);
  const ours = (await juliet.nextMessage()).elements.map((child) => child.attr('by') ?? child.name);
  expect(ours).toEqual(['body', 'localhost']);
});
