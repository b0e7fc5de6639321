import { Jid } from '@parley/xmpp/jid';
import { NS } from '@parley/xmpp/namespaces';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { expect, it } from 'vitest';
import { isJournaled } from './journaled.ts';

const chatState = `<composing xmlns='${NS.chatStates}'/>`;
const noStore = `<no-store xmlns='${NS.hints}'/>`;

it.each([
  [`<message type='chat'><body>Hi</body></message>`, true],
  [`<message/>`, true],
  [`<message type='groupchat'><body>Hi</body></message>`, true],
  [`<message type='headline'><body>Hi</body></message>`, true],
  [`<message type='error'><error type='cancel'/></message>`, true],
  [`<message><received xmlns='${NS.receipts}' id='1'/></message>`, true],
  [`<message type='chat'>${chatState}</message>`, false],
  [`<message type='chat'><body>Hi</body>${chatState}</message>`, true],
  [`<message type='chat'><body>Hi</body>${noStore}</message>`, false],
  [`<message type='error'>${noStore}<error type='cancel'/></message>`, true], // it repeats what it answers
  [`<presence/>`, false],
  [`<presence type='unavailable'/>`, false],
  [`<presence type='probe'/>`, false],
  [`<presence type='error'/>`, false],
  [`<presence type='subscribe'/>`, true],
  [`<presence type='subscribed'/>`, true],
  [`<presence type='unsubscribe'/>`, true],
  [`<presence type='unsubscribed'/>`, true],
  [`<iq type='get' id='1'><ping xmlns='${NS.ping}'/></iq>`, false],
  [`<iq type='set' id='1'><query xmlns='urn:example'/></iq>`, false],
  [`<iq type='set' id='1'><query xmlns='${NS.roster}'/></iq>`, true],
  [`<iq type='set' id='1'><block xmlns='${NS.blocking}'/></iq>`, true],
  [`<iq type='get' id='1'><query xmlns='${NS.roster}'/></iq>`, false],
  [`<iq type='result' id='1'/>`, true],
  [`<iq type='error' id='1'><error type='cancel'/></iq>`, true],
])('%s: %s', (text, expected) => {
  expect(isJournaled(stanzaFromText(Buffer.from(text)), text.length)).toBe(expected);
});

it('leaves out answers that are large, which can be asked for again', () => {
  const of = (type: string) => stanzaFromText(Buffer.from(`<iq type='${type}' id='1'/>`)).withTo(Jid.parse('a@b/c'));
  expect(isJournaled(of('result'), 8192)).toBe(true);
  expect(isJournaled(of('result'), 8193)).toBe(false);
  expect(isJournaled(of('error'), 8193)).toBe(false);
});
