import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { Slapd } from './slapd.ts';
import { personDn, SERVICE, SUFFIX } from './slapd-files.ts';

const search = (slapd: Slapd, ...words: string[]) =>
  execFileSync(
    'ldapsearch',
    // it would take localhost for the name of the machine
    [
      '-x',
      '-LLL',
      '-o',
      'ldif-wrap=no',
      '-H',
      slapd.url.replace('localhost', '127.0.0.1'),
      '-D',
      SERVICE.dn,
      '-w',
      SERVICE.password,
      ...words,
    ],
    { encoding: 'utf8', env: { ...process.env, LDAPTLS_CACERT: slapd.authorities }, stdio: 'pipe' },
  );

test('a slapd starts with people and groups, changes, and comes back with what it had', async () => {
  const slapd = await Slapd.start();
  expect(search(slapd, '-ZZ', '-b', SUFFIX, '(uid=romeo)', 'memberOf', 'mail')).toContain('mail: romeo@localhost');
  expect(search(slapd, '-b', SUFFIX, '(uid=romeo)', 'memberOf').match(/^memberOf: /gm)).toHaveLength(2);
  await slapd.modify(personDn('romeo'), { title: ['Lover'] });
  await slapd.kill();
  expect(() => search(slapd, '-b', '', '-s', 'base')).toThrow(/contact LDAP server/);
  await slapd.restart();
  expect(search(slapd, '-b', SUFFIX, '(title=Lover)', 'uid')).toContain('uid: romeo');
});

test.each(['expired', 'wrong-host', 'unknown-authority'] as const)('a slapd shows an %s certificate', async (kind) => {
  const slapd = await Slapd.start({ certificate: kind });
  expect(() => search(slapd, '-ZZ', '-b', '', '-s', 'base')).toThrow();
  await slapd.restart('good');
  expect(search(slapd, '-ZZ', '-b', '', '-s', 'base')).toContain('dn:');
});
