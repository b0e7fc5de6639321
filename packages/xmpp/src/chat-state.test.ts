import { expect, it } from 'vitest';
import { isOnlyChatState } from './chat-state.ts';
import { Element } from './element.ts';
import { NS } from './namespaces.ts';

const composing = Element.of('composing', NS.chatStates);

it.each([
  ['a state', true, [composing]],
  ['white space around it', true, ['\n ', composing, '\n']],
  ['a state of a thread', true, [composing, Element.of('thread', NS.client, {}, 't1')]],
  [
    'a state with hints and ids',
    true,
    [composing, Element.of('no-store', NS.hints), Element.of('origin-id', NS.stanzaId)],
  ],
  ['a state with a body', false, [composing, Element.of('body', NS.client, {}, 'hi')]],
  ['a state with a receipt', false, [composing, Element.of('received', NS.receipts)]],
  ['a body', false, [Element.of('body', NS.client)]],
  ['a thread alone', false, [Element.of('thread', NS.client)]],
  ['nothing', false, []],
])('%s: %s', (_, expected, children) => {
  expect(isOnlyChatState(children)).toBe(expected);
});
