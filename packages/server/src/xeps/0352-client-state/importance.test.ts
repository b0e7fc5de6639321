import { Element } from '@parley/xmpp/element';
import { forwarded } from '@parley/xmpp/forwarded';
import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { iq, message, presence, type Stanza } from '@parley/xmpp/stanza';
import { expect, it } from 'vitest';
import { keyOfUnimportant } from './importance.ts';

const account = Jid.parse('juliet@capulet.lit');
const from = Jid.parse('romeo@montague.net/orchard');
const composing = Element.of('composing', NS.chatStates);
const body = Element.of('body', NS.client, {}, 'hi');
const muc = (code: string) => Element.of('x', NS.mucUser, {}, Element.of('status', NS.mucUser, { code }));
const copy = (by: Jid, ...content: Element[]) => {
  const inner = forwarded(message({ from, to: account, type: 'chat' }, ...content));
  return message({ from: by }, Element.of('received', NS.carbons, {}, inner));
};

it.each<[string, Stanza, string | undefined]>([
  ['available', presence({ from }), 'presence romeo@montague.net/orchard'],
  ['unavailable', presence({ from, type: 'unavailable' }), 'presence romeo@montague.net/orchard'],
  ['somebody in a room', presence({ from }, muc('100')), 'presence romeo@montague.net/orchard'],
  ['the client itself in a room', presence({ from }, muc('110')), undefined],
  ['a request to subscribe', presence({ from, type: 'subscribe' }), undefined],
  ['an error', presence({ from, type: 'error' }), undefined],
  ['a chat state', message({ from }, composing), 'state romeo@montague.net/orchard'],
  ['a chat state with words', message({ from }, composing, body), undefined],
  ['a message', message({ from }, body), undefined],
  ['a copy of a chat state', copy(account, composing), 'received romeo@montague.net/orchard juliet@capulet.lit'],
  ['a copy of a message', copy(account, body), undefined],
  ['what claims to be a copy', copy(from, composing), undefined],
  ['a request', iq({ from, type: 'get', id: '1' }, composing), undefined],
])('%s', (_, stanza, key) => {
  expect(keyOfUnimportant(stanza, account)).toBe(key);
});
