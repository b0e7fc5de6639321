import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataForm, type FormField, formSubject } from './data-form.ts';
import { readSubmission } from './data-form-submission.ts';
import { StanzaError } from './stanza-error.ts';

const options = [{ value: 'all' }, { value: 'members' }];
const form = new DataForm('form', {
  fields: [
    formSubject('urn:example:room'),
    { name: '', type: 'fixed', values: ['Basics'] },
    { name: 'name', required: true, values: ['Old name'] },
    { name: 'public', type: 'boolean', values: [] },
    { name: 'owner', type: 'jid-single', values: [] },
    { name: 'admins', type: 'jid-multi', values: [] },
    { name: 'who', type: 'list-single', values: [], options },
    { name: 'roles', type: 'list-multi', values: [], options },
    { name: 'about', type: 'text-multi', values: [] },
  ],
});

function submit(values: Record<string, string[]>, type: 'submit' | 'form' | 'result' | 'cancel' = 'submit') {
  const fields: FormField[] = Object.entries(values).map(([name, given]) => ({ name, values: given }));
  return readSubmission(form, new DataForm(type, { fields }).toElement());
}

test.each<[Record<string, string[]>, Record<string, string[]>]>([
  [{ name: ['N'] }, { name: ['N'] }],
  [
    { FORM_TYPE: ['urn:example:room'], name: ['N'] },
    { FORM_TYPE: ['urn:example:room'], name: ['N'] },
  ],
  [
    { name: ['N'], unknown: ['x'], public: ['1'] },
    { name: ['N'], public: ['true'] },
  ],
  [
    { name: ['N'], public: ['0'], owner: ['Juliet@EXAMPLE.com'] },
    { name: ['N'], public: ['false'], owner: ['juliet@example.com'] },
  ],
  [
    { name: ['N'], admins: ['a@example.com', 'A@example.com', 'b@example.com'] },
    { name: ['N'], admins: ['a@example.com', 'b@example.com'] },
  ],
  [
    { name: ['N'], who: ['all'], roles: ['members', 'all'], about: ['1', '', '3'] },
    { name: ['N'], who: ['all'], roles: ['members', 'all'], about: ['1', '', '3'] },
  ],
  [
    { name: ['N'], public: [''], owner: [''], admins: [], who: [''], about: [] },
    { name: ['N'], public: [], owner: [], admins: [], who: [], about: [] },
  ],
])('%j is taken', (given, values) => {
  expect(Object.fromEntries(submit(given) ?? [])).toEqual(values);
});

describe('what is refused', () => {
  test.each<[string, Record<string, string[]>]>([
    ['name is required', {}],
    ['name is required', { name: [] }],
    ['name is required', { name: [''] }],
    ['name takes one value', { name: ['a', 'b'] }],
    ['public is true or false', { name: ['N'], public: ['yes'] }],
    ['public takes one value', { name: ['N'], public: ['true', 'false'] }],
    ['owner takes addresses', { name: ['N'], owner: ['a b@example.com'] }],
    ['admins takes addresses', { name: ['N'], admins: ['a@example.com', '@'] }],
    ['who does not have this option', { name: ['N'], who: ['nobody'] }],
    ['who takes one value', { name: ['N'], who: ['all', 'members'] }],
    ['roles does not have this option', { name: ['N'], roles: ['all', 'toString'] }],
  ])('%s', (text, values) => {
    expect(() => submit(values)).toThrow(
      expect.objectContaining({ condition: 'not-acceptable', text: `The field ${text}.` }),
    );
  });

  test('a form that is not submitted, or is another one', () => {
    const badRequest = expect.objectContaining({ condition: 'bad-request' });
    expect(() => submit({ name: ['N'] }, 'form')).toThrow(badRequest);
    expect(() => submit({ name: ['N'] }, 'result')).toThrow(badRequest);
    expect(() => submit({ FORM_TYPE: ['urn:example:other'], name: ['N'] })).toThrow(badRequest);
  });
});

test('cancelling is no answer', () => {
  expect(submit({}, 'cancel')).toBeUndefined();
});

test('whatever is submitted is refused with a StanzaError or fits the form', () => {
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom('', 'true', '0', 'all', 'members', 'a@example.com', 'B@Example.com'),
  );
  const name = fc.constantFrom('FORM_TYPE', 'name', 'public', 'owner', 'admins', 'who', 'roles', 'about', '__proto__');
  fc.assert(
    fc.property(fc.dictionary(name, fc.array(value, { maxLength: 3 })), (given) => {
      try {
        const values = submit(given);
        expect(values?.get('name')?.[0]).toBeTruthy();
        for (const text of values?.get('public') ?? []) expect(['true', 'false']).toContain(text);
        for (const text of values?.get('roles') ?? []) expect(['all', 'members']).toContain(text);
        expect(values?.get('who')?.length ?? 0).toBeLessThanOrEqual(1);
        expect([...(values?.keys() ?? [])].every((key) => form.field(key) !== undefined)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(StanzaError);
      }
    }),
    { numRuns: 1000 },
  );
});
