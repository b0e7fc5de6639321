import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, test } from 'vitest';
import { passwordQuery, readNewPassword } from './password-form.ts';

const query = (...children: Element[]) => Element.of('query', NS.register, {}, ...children);
const text = (name: string, value: string) => Element.of(name, NS.register, {}, value);

const field = (name: string, value: string) =>
  Element.of('field', NS.dataForms, { var: name }, Element.of('value', NS.dataForms, {}, value));
const form = (type: string, values: Record<string, string>) =>
  query(Element.of('x', NS.dataForms, { type }, ...Object.entries(values).map(([name, value]) => field(name, value))));
const FORM = { FORM_TYPE: 'jabber:iq:register:changepassword' };

describe('a new password', () => {
  test('is asked for by two elements', () => {
    expect(readNewPassword(query(text('username', 'romeo'), text('password', 'new')))).toEqual({
      username: 'romeo',
      password: 'new',
    });
    expect(readNewPassword(query(text('username', 'romeo'), text('password', '')))).toBeUndefined();
    expect(readNewPassword(query(text('password', 'new')))).toBeUndefined();
  });

  test.each(['romeo', 'romeo@localhost'])('is asked for by a form, with the old one: %s', (username) => {
    const filled = form('submit', { ...FORM, username, old_password: 'old', password: 'new' });
    expect(readNewPassword(filled)).toEqual({ username: 'romeo', password: 'new', old: 'old' });
  });

  test('is not changed by a form that is cancelled, incomplete or another one', () => {
    expect(readNewPassword(form('cancel', {}))).toBeUndefined();
    const incomplete = form('submit', { ...FORM, username: 'romeo', password: 'new' });
    expect(() => readNewPassword(incomplete)).toThrow(/old_password is required/);
    expect(() => readNewPassword(form('submit', { FORM_TYPE: 'jabber:iq:register' }))).toThrow();
  });
});

test('what is asked of somebody is the old password, too', () => {
  const names = passwordQuery('romeo')
    .child('x', NS.dataForms)
    ?.elements.map((each) => each.attr('var'));
  expect(names).toEqual(expect.arrayContaining(['FORM_TYPE', 'username', 'old_password', 'password']));
});
