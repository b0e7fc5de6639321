import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataForm, type FormField, formSubject } from './data-form.ts';
import { Element } from './element.ts';
import { NS } from './namespaces.ts';

const form = new DataForm('form', {
  title: 'Room',
  instructions: 'Fill in.\nSend.',
  fields: [
    formSubject('urn:example:room'),
    { name: '', type: 'fixed', values: ['Basics'] },
    { name: 'name', type: 'text-single', label: 'Name', description: 'What it is called', required: true, values: [] },
    {
      name: 'who',
      type: 'list-single',
      values: ['all'],
      options: [{ value: 'all', label: 'Everybody' }, { value: 'members' }],
    },
    { name: 'about', type: 'text-multi', values: ['one', 'two'] },
  ],
});

test('a form is written', () => {
  expect(form.toElement().toString()).toBe(
    `<x xmlns='jabber:x:data' type='form'><title>Room</title>` +
      '<instructions>Fill in.</instructions><instructions>Send.</instructions>' +
      `<field var='FORM_TYPE' type='hidden'><value>urn:example:room</value></field>` +
      `<field type='fixed'><value>Basics</value></field>` +
      `<field var='name' type='text-single' label='Name'><desc>What it is called</desc><required/></field>` +
      `<field var='who' type='list-single'><value>all</value>` +
      `<option label='Everybody'><value>all</value></option><option><value>members</value></option></field>` +
      `<field var='about' type='text-multi'><value>one</value><value>two</value></field></x>`,
  );
});

test('its values are found by name', () => {
  expect(form.subject).toBe('urn:example:room');
  expect(form.value('who')).toBe('all');
  expect(form.value('name')).toBeUndefined();
  expect(form.value('__proto__')).toBeUndefined();
  expect(form.field('about')?.values).toEqual(['one', 'two']);
  expect(form.field('')).toBeUndefined();
});

test('a table of results comes back', () => {
  const table = new DataForm('result', {
    reported: [{ name: 'jid', type: 'jid-single', label: 'Address', values: [] }],
    items: [[{ name: 'jid', values: ['a@example.com'] }], [{ name: 'jid', values: ['b@example.com'] }]],
  });
  const again = DataForm.parse(table.toElement());
  expect(again.items.map(([field]) => field?.values[0])).toEqual(['a@example.com', 'b@example.com']);
  expect(again.reported[0]?.type).toBe('jid-single');
  expect(again.toElement().toString()).toBe(table.toElement().toString());
});

describe('what is no form', () => {
  const field = (attributes: Record<string, string>) => Element.of('field', NS.dataForms, attributes);
  test.each([
    ['no type', Element.of('x', NS.dataForms)],
    ['another type', Element.of('x', NS.dataForms, { type: 'toString' })],
    ['a field twice', Element.of('x', NS.dataForms, { type: 'submit' }, field({ var: 'a' }), field({ var: 'a' }))],
  ])('%s', (_, x) => {
    expect(() => DataForm.parse(x)).toThrow(expect.objectContaining({ condition: 'bad-request' }));
  });

  test('a type of field that nobody knows is a line of text, a field without a name is kept', () => {
    const x = Element.of(
      'x',
      NS.dataForms,
      { type: 'form' },
      field({ var: 'a', type: 'colour' }),
      field({}),
      field({}),
    );
    expect(DataForm.parse(x).fields.map(({ name, type }) => [name, type])).toEqual([
      ['a', 'text-single'],
      ['', undefined],
      ['', undefined],
    ]);
  });
});

test('every form reads again as it was written', () => {
  const field: fc.Arbitrary<FormField> = fc.record({
    name: fc.string(),
    type: fc.constantFrom(
      'boolean',
      'fixed',
      'hidden',
      'jid-multi',
      'list-single',
      'text-multi',
      'text-single',
      undefined,
    ),
    label: fc.option(fc.string(), { nil: undefined }),
    description: fc.option(fc.string(), { nil: undefined }),
    required: fc.boolean(),
    values: fc.array(fc.string()),
    options: fc.array(fc.record({ value: fc.string(), label: fc.option(fc.string(), { nil: undefined }) })),
  });
  const fields = fc.uniqueArray(field, { selector: ({ name }) => name, maxLength: 5 });
  fc.assert(
    fc.property(fields, fields, (one, other) => {
      const written = new DataForm('result', { title: 'a', instructions: 'b\nc', fields: one, items: [other] });
      const read = DataForm.parse(written.toElement());
      expect(read.fields).toEqual(one);
      expect(read.items).toEqual([other]);
      expect([read.type, read.title, read.instructions]).toEqual(['result', 'a', 'b\nc']);
    }),
  );
});
