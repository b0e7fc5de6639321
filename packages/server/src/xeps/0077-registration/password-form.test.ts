import { DataForm } from '@parley/xmpp/data-form';
import { Element } from '@parley/xmpp/element';
import { NS } from '@parley/xmpp/namespaces';
import { describe, expect, test } from 'vitest';
import { passwordQuery, readNewPassword } from './password-form.ts';

const FORM = 'jabber:iq:register:changepassword';

const plain = (username?: string, password?: string) => {
  const fields = Object.entries({ username, password }).filter(([, text]) => text !== undefined);
  return Element.of(
    'query',
    NS.register,
    {},
    ...fields.map(([name, text]) => Element.of(name, NS.register, {}, text as string)),
  );
};

const filled = (values: Record<string, string>, type = FORM) => {
  const fields = Object.entries({ FORM_TYPE: type, ...values }).map(([name, value]) => ({ name, values: [value] }));
  return Element.of('query', NS.register, {}, new DataForm('submit', { fields }).toElement());
};

describe('a new password', () => {
  test('is read from the elements of the query', () => {
    expect(readNewPassword(plain('romeo', 'secret'))).toEqual({ username: 'romeo', password: 'secret' });
    expect(readNewPassword(plain('romeo', ''))).toBeUndefined();
    expect(readNewPassword(plain('romeo'))).toBeUndefined();
    expect(readNewPassword(plain(undefined, 'secret'))).toBeUndefined();
  });

  test('is read from the form that asks for the one before', () => {
    const form = passwordQuery('romeo').child('x', NS.dataForms);
    expect(form?.attr('type')).toBe('form');
    const names = form?.elements.filter(({ name }) => name === 'field').map((field) => field.attr('var'));
    expect(names).toEqual(['FORM_TYPE', 'username', 'old_password', 'password']);
    const answer = filled({ username: 'romeo@montague.lit', old_password: 'before', password: 'after' });
    expect(readNewPassword(answer)).toEqual({ username: 'romeo', old: 'before', password: 'after' });
  });

  test('is not read from a form that lacks something', () => {
    expect(() => readNewPassword(filled({ username: 'romeo', password: 'after' }))).toThrow();
  });
});
