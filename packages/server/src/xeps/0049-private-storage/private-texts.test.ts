import { elementFromText } from '@parley/xmpp/element-text';
import { expect, it } from 'vitest';
import { privateTexts } from './private-texts.ts';

it('puts together what is of one namespace; an element without content says nothing', () => {
  const elements = ["<a xmlns='urn:x'>1</a>", "<b xmlns='urn:y'/>", "<c xmlns='urn:x' d='2'/>"].map(elementFromText);
  expect([...privateTexts(elements)]).toEqual([
    ['urn:x', "<a xmlns='urn:x'>1</a><c xmlns='urn:x' d='2'/>"],
    ['urn:y', ''],
  ]);
});
