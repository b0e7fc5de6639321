import { Element } from '@parley/xmpp/element';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { message } from '@parley/xmpp/stanza';
import { expect, it } from 'vitest';
import { isEligible } from './eligibility.ts';

const body = Element.of('body', NS.client, {}, 'hi');
const muc = Element.of('x', NS.mucUser);
const invitation = Element.of('x', NS.mucUser, {}, Element.of('invite', NS.mucUser));
const FULL = 'coven@chat.lit/witch';
const BARE = 'coven@chat.lit';

// type, content | sent | received | from
it.each([
  ['chat', [], true, true],
  ['chat', [body], true, true],
  ['normal', [body], true, true],
  [undefined, [body], true, true],
  ['unheard-of', [body], true, true],
  ['normal', [], false, false],
  ['normal', [Element.of('x', 'urn:x')], false, false],
  ['headline', [body], false, false],
  ['groupchat', [body], false, false],
  ['groupchat', [Element.of('active', NS.chatStates)], false, false],
  ['error', [body], false, false],
  ['normal', [Element.of('received', NS.receipts)], true, true],
  ['normal', [Element.of('composing', NS.chatStates)], true, true],
  ['normal', [Element.of('displayed', NS.chatMarkers)], true, true],
  ['normal', [Element.of('propose', NS.jingleMessage)], true, true],
  ['chat', [body, Element.of('private', NS.carbons)], false, false],
  ['chat', [body, Element.of('no-copy', NS.hints)], false, false],
  ['chat', [body, Element.of('private', 'urn:x')], true, true],
  // rooms
  ['chat', [body, muc], true, false],
  ['normal', [body, muc], true, false],
  ['normal', [invitation], true, true, BARE],
  ['normal', [Element.of('x', NS.conference)], true, true],
  ['normal', [Element.of('x', NS.conference), muc], true, true],
  ['normal', [body, muc], true, true, BARE],
])('%s with %s: sent %s, received %s', (type, content, sent, received, from = FULL) => {
  const stanza = message({ from: Jid.parse(from), to: Jid.parse('juliet@capulet.lit'), type }, ...content);
  expect(isEligible(stanza, false)).toBe(sent);
  expect(isEligible(stanza, true)).toBe(received);
});
