import { expect, it } from 'vitest';
import { Element } from './element.ts';
import { NS } from './namespaces.ts';
import { iq } from './stanza.ts';
import { Verbatim } from './verbatim.ts';

const card = Element.of('vCard', NS.vcard, {}, Element.of('FN', NS.vcard, {}, 'Romeo & "Juliet"'));
const stored = new Verbatim('vCard', NS.vcard, card.toString());

it('is written as it was stored, whatever is around it', () => {
  expect(iq({ id: '1', type: 'result' }, stored).toString()).toBe(iq({ id: '1', type: 'result' }, card).toString());
  const query = (inner: Element) => Element.of('query', NS.private, {}, inner).toString(NS.client);
  expect(query(stored)).toBe(query(card));
});

it('is known by its name', () => {
  expect(stored.is('vCard', NS.vcard)).toBe(true);
});
