import { expect, it } from 'vitest';
import { Written } from '../net/written.ts';
import { Sent } from './sent.ts';

const sentAs = (text: string, later = true) =>
  new Sent({ text, origin: undefined, journaled: false, later, at: 0, out: 1, ready: true });

it('is found again in what it went out with', () => {
  const written = new Written();
  const stanzas = ["<message id='1'/>", "<message id='ä€'/>", "<message id='3'>\u{1F600}</message>"];
  const sent = stanzas.map((text) => {
    const one = sentAs(text);
    written.add(text);
    one.standsIn(written);
    written.add("<r xmlns='urn:xmpp:sm:3'/>");
    return one;
  });
  expect(sent.map(({ text }) => text)).toEqual(stanzas);
  expect(sent.map(({ length }) => length)).toEqual(stanzas.map(({ length }) => length));
});

it('has a text of its own once it is kept, for the journal', () => {
  const written = new Written();
  const sent = sentAs('<presence/>');
  written.add('<presence/>');
  sent.standsIn(written);
  sent.keep();
  expect([sent.text, sent.journaled, sent.later]).toEqual(['<presence/>', true, false]);
});
