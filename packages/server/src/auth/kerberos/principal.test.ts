import { describe, expect, test } from 'vitest';
import { kerberos } from '../../config/kerberos.ts';
import { accountOfPrincipal, isXmppService, parsePrincipal } from './principal.ts';

describe('parsePrincipal', () => {
  test.each<[string, readonly string[], string]>([
    ['juliet@EXAMPLE.COM', ['juliet'], 'EXAMPLE.COM'],
    ['juliet/admin@EXAMPLE.COM', ['juliet', 'admin'], 'EXAMPLE.COM'],
    ['xmpp/chat.example.com/example.com@EXAMPLE.COM', ['xmpp', 'chat.example.com', 'example.com'], 'EXAMPLE.COM'],
    ['juliet\\@example.com@EXAMPLE.COM', ['juliet@example.com'], 'EXAMPLE.COM'],
    ['juliet\\/admin@EXAMPLE.COM', ['juliet/admin'], 'EXAMPLE.COM'],
    ['a\\\\b\\n\\t\\b\\0@R', ['a\\b\n\t\b\0'], 'R'],
    ['@R', [''], 'R'],
    ['j@R/S', ['j'], 'R/S'],
  ])('reads %s', (text, components, realm) => expect(parsePrincipal(text)).toEqual({ components, realm }));

  test.each(['', 'juliet', 'juliet@', 'juliet@A@B', 'juliet\\@A'])('does not read %j', (text) =>
    expect(parsePrincipal(text)).toBeUndefined(),
  );
});

const account = (text: string, rules: object = {}, domain = 'example.com') =>
  accountOfPrincipal(text, domain, kerberos.parse(rules))?.toString();

describe('accountOfPrincipal', () => {
  test('trusts the realm that is called as the domain is, where nothing is said', () => {
    expect(account('juliet@EXAMPLE.COM')).toBe('juliet@example.com');
    expect(account('juliet@EXAMPLE.ORG')).toBeUndefined();
    expect(account('juliet@example.com')).toBeUndefined();
    expect(account('juliet@EXAMPLE.COM', {}, 'example.org')).toBeUndefined();
  });

  test('trusts the realms that are named, each with its own domains, and no others', () => {
    const realms = [
      { name: 'CORP.EXAMPLE', domain: 'example.com' },
      { name: 'CORP.EXAMPLE', domain: 'example.org' },
      { name: 'EXAMPLE.NET', domain: 'example.net' },
    ];
    expect(account('juliet@CORP.EXAMPLE', { realms })).toBe('juliet@example.com');
    expect(account('juliet@CORP.EXAMPLE', { realms }, 'example.org')).toBe('juliet@example.org');
    expect(account('juliet@CORP.EXAMPLE', { realms }, 'example.net')).toBeUndefined();
    expect(account('juliet@EXAMPLE.COM', { realms })).toBeUndefined();
  });

  test('gives instances, and names that no account can have, none', () => {
    for (const name of ['juliet/admin', 'juliet\\/admin', 'juliet\\@example.com', 'a b', '', 'host/example.com']) {
      expect(account(`${name}@EXAMPLE.COM`)).toBeUndefined();
    }
  });

  test('takes names in another case for other people, unless told otherwise', () => {
    expect(account('Juliet@EXAMPLE.COM')).toBeUndefined();
    expect(account('Juliet@EXAMPLE.COM', { ignoreCase: true })).toBe('juliet@example.com');
  });

  // U+212A is the sign of the kelvin, U+017F a long s, U+0130 a capital i with a dot: case folding makes them k, s and i̇
  test.each(['\uff2auliet', '\uff4auliet', '\u212aate', 'ro\u017faline', '\u0130ago', 'A\u0308nne', '\u00c4nne'])(
    'takes %s for nobody, whose letters are others than in capitals alone',
    (name) => {
      expect(account(`${name}@EXAMPLE.COM`, { ignoreCase: true })).toBeUndefined();
      expect(account(`${name}@EXAMPLE.COM`)).toBeUndefined();
    },
  );

  test('takes letters beyond ASCII as they are', () => {
    expect(account('\u00e4NNE@EXAMPLE.COM', { ignoreCase: true })).toBe('\u00e4nne@example.com');
  });

  test('gives those that are named the account that is, in its domain alone', () => {
    const principals = [{ name: 'romeo/admin@ELSEWHERE', account: 'admin@example.com' }];
    expect(account('romeo/admin@ELSEWHERE', { principals })).toBe('admin@example.com');
    expect(account('romeo/admin@ELSEWHERE', { principals }, 'example.org')).toBeUndefined();
    expect(account('romeo@ELSEWHERE', { principals })).toBeUndefined();
  });
});

test('isXmppService knows the service at any host, for this domain where it names one', () => {
  expect(isXmppService('xmpp/chat.example.com@R', 'example.com')).toBe(true);
  expect(isXmppService('xmpp/chat.example.com/Example.com@R', 'example.com')).toBe(true);
  expect(isXmppService('xmpp/chat.example.com/example.org@R', 'example.com')).toBe(false);
  expect(isXmppService('host/chat.example.com@R', 'example.com')).toBe(false);
  expect(isXmppService('xmpp@R', 'example.com')).toBe(false);
  expect(isXmppService('xmpp/a/example.com/b@R', 'example.com')).toBe(false);
});
