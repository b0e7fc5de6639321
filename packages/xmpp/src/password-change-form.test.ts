import { expect, test } from 'vitest';
import { Element } from './element.ts';
import { NS } from './namespaces.ts';
import { passwordChangeForm, readPasswordChange } from './password-change-form.ts';

const FORM = { FORM_TYPE: 'jabber:iq:register:changepassword' };
const field = (name: string, value: string) =>
  Element.of('field', NS.dataForms, { var: name }, Element.of('value', NS.dataForms, {}, value));
const filled = (values: Record<string, string>, type = 'submit') =>
  Element.of('x', NS.dataForms, { type }, ...Object.entries(values).map(([name, value]) => field(name, value)));
const fieldsOf = (byOld: boolean) => passwordChangeForm('romeo', byOld).fields.map(({ name }) => name);

test('the old password is asked for where it is needed, and only there', () => {
  expect(fieldsOf(true)).toEqual(['FORM_TYPE', 'username', 'old_password', 'password']);
  expect(fieldsOf(false)).toEqual(['FORM_TYPE', 'username', 'password']);
});

test.each(['romeo', 'romeo@localhost'])('what was filled in is read: %s', (username) => {
  const values = { ...FORM, username, old_password: 'old', password: 'new' };
  expect(readPasswordChange(filled(values))).toEqual({ username: 'romeo', password: 'new', old: 'old' });
  expect(readPasswordChange(filled(values), false)).toEqual({ username: 'romeo', password: 'new' });
});

test('a form that is given back empty changes nothing, and one that is incomplete, or another one, is none', () => {
  expect(readPasswordChange(filled({}, 'cancel'))).toBeUndefined();
  const incomplete = { ...FORM, username: 'romeo', password: 'new' };
  expect(() => readPasswordChange(filled(incomplete))).toThrow(/old_password is required/);
  expect(readPasswordChange(filled(incomplete), false)?.password).toBe('new');
  expect(() => readPasswordChange(filled({ ...incomplete, password: '' }), false)).toThrow(/password is required/);
  expect(() => readPasswordChange(filled({ FORM_TYPE: 'jabber:iq:register' }))).toThrow();
});
