import { NS } from '@parley/xmpp/namespaces';
import { StanzaError } from '@parley/xmpp/stanza-error';
import { stanzaFromText } from '@parley/xmpp/stanza-text';
import { describe, expect, it } from 'vitest';
import { person } from '../../../../../tests/support/profiles.ts';
import { readSearch, searchFields, searchResult } from './search-form.ts';

const query = (content: string) => {
  const found = stanzaFromText(Buffer.from(`<iq><query xmlns='${NS.search}'>${content}</query></iq>`)).payload;
  if (found === undefined) throw new Error('There is no query.');
  return found;
};
const submit = (fields: Record<string, string>) =>
  query(
    `<x xmlns='${NS.dataForms}' type='submit'><field var='FORM_TYPE'><value>${NS.search}</value></field>` +
      Object.entries(fields)
        .map(([name, value]) => `<field var='${name}'><value>${value}</value></field>`)
        .join('') +
      '</x>',
  );

it('offers plain fields, and a form that has more of them', () => {
  const fields = searchFields();
  expect(fields.elements.map(({ name }) => name)).toEqual(['instructions', 'first', 'last', 'nick', 'email', 'x']);
  const form = fields.child('x', NS.dataForms);
  expect(form?.elements.flatMap((element) => element.attr('var') ?? [])).toEqual([
    'FORM_TYPE',
    'first',
    'last',
    'nick',
    'email',
    'x-name',
    'x-unit',
  ]);
});

describe('what is looked for', () => {
  it.each([
    ['<last>Capulet</last>', [['last', 'Capulet']]],
    ['<first> Jul* </first><last/>', [['first', 'Jul']]],
    ['<email>juliet@</email><nick>(*)</nick>', undefined],
    ['<nick>(uid=x)</nick>', [['nick', '(uid=x)']]],
  ])('in plain fields: %s', (content, terms) => {
    if (terms === undefined) expect(() => readSearch(query(content))).toThrow(StanzaError);
    else expect([...readSearch(query(content))]).toEqual(terms);
  });

  it('in a form', () => {
    expect([...readSearch(submit({ 'x-unit': 'Stage', first: 'R**' }))]).toEqual([
      ['first', 'R'],
      ['unit', 'Stage'],
    ]);
  });

  it.each([
    ['nothing', query('')],
    ['nothing but stars', query('<last>**</last>')],
    ['a star in front', query('<last>*let</last>')],
    ['too much', query(`<last>${'x'.repeat(257)}</last>`)],
    ['an empty form', submit({})],
    ['a form that is cancelled', query(`<x xmlns='${NS.dataForms}' type='cancel'/>`)],
    ['another form', submit({ FORM_TYPE: 'urn:other' })],
  ])('is not %s', (_, asked) => {
    expect(() => readSearch(asked)).toThrow(StanzaError);
  });
});

describe('who was found', () => {
  const people = [person('juliet@localhost', { first: 'Juliet', last: 'Capulet', unit: 'Stage' })];

  it('comes as items', () => {
    expect(String(searchResult({ people, more: false }, false))).toBe(
      `<query xmlns='${NS.search}'><item jid='juliet@localhost'><first>Juliet</first><last>Capulet</last><nick/><email/></item></query>`,
    );
    expect(String(searchResult({ people: [], more: false }, false))).toBe(`<query xmlns='${NS.search}'/>`);
  });

  it('comes as a form, with what it is limited to', () => {
    const x = searchResult({ people, more: true }, true).child('x', NS.dataForms);
    expect(x?.attr('type')).toBe('result');
    expect(x?.childText('instructions')).toMatch(/^There are more: these are 1 of them\./);
    const values = x?.child('item')?.elements.map((field) => [field.attr('var'), field.childText('value')]);
    expect(values).toEqual([
      ['jid', 'juliet@localhost'],
      ['first', 'Juliet'],
      ['last', 'Capulet'],
      ['x-unit', 'Stage'],
    ]);
    const note = searchResult({ people, more: true }, false).childText('instructions');
    expect(note).toMatch(/^There are more/);
  });
});
