import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { loadConfiguration } from './load.ts';
import { ConfigurationError } from './problem.ts';

const directory = (more: object = {}) => ({
  name: 'corp',
  servers: ['ldap://ldap.example.org'],
  bind: { dn: 'cn=parley,dc=example,dc=org', password: 'secret-of-the-service' },
  people: { base: 'ou=people,dc=example,dc=org' },
  ...more,
});

function load(config: object, files: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'parley.yaml'), stringify(config));
  return loadConfiguration({ file: join(folder, 'parley.yaml'), env: {} });
}

function problems(config: object): string[] {
  try {
    load(config);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    expect(error.message).not.toContain('secret-of-the-service');
    return error.problems.map(({ path, problem, cure }) => `${path} ${problem}: ${cure}`);
  }
}

test('a directory needs a name, a server, a bind and a base, and has defaults for the rest', () => {
  const config = load({
    directories: [directory()],
    domains: [{ name: 'example.org', accounts: ['corp', 'internal'] }],
  });
  expect(config.domains[0]?.accounts).toEqual(['corp', 'internal']);
  expect(config.authentication.accounts).toEqual(['internal']);
  expect(config.directories).toMatchObject([
    { type: 'openldap', startTls: true, allowUnencrypted: false, people: { scope: 'sub', address: 'mail' } },
  ]);
});

test('files are found from the configuration on: authorities, and the password', () => {
  const own = { bind: { dn: 'cn=parley', passwordFile: 'password' }, authorities: 'ca.pem' };
  const [first] = load({ directories: [directory(own)] }, { password: 'from a file\n' }).directories;
  expect(first?.bind.password).toBe('from a file');
  expect(first?.authorities).toMatch(/^\/.*\/ca\.pem$/);
});

test('all that is wrong is told at once, each with its cure', () => {
  const wrong = problems({
    domains: [{ name: 'example.org', accounts: ['corp', 'crop'] }],
    authentication: { accounts: ['internal', 'internal'] },
    directories: [
      directory({ servers: ['ldap://one', 'ldaps://two', 'http://three', 'ldaps://user:word@four'], startTls: false }),
      directory({ bind: { dn: 'cn=parley' }, people: { base: 'people', filter: 'uid=*', address: 'e mail' } }),
      directory({ name: 'internal', type: 'novell' }),
      { name: 'empty' },
    ],
  });
  const expected = [
    'directories[0].servers[2] is not the URL of a directory server: write ldap://host, ldaps://host or ldaps://host:port',
    'directories[0].servers[3] is not the URL of a directory server: write ldap://host, ldaps://host or ldaps://host:port',
    'directories[0].servers[0] is not encrypted: write ldaps://, or set `startTls: true`, or `allowUnencrypted: true`',
    'directories[1].bind.password is missing: write the password of `bind.dn`, or a `passwordFile` that holds it',
    'directories[1].people.base is not a distinguished name: write it as ou=people,dc=example,dc=org',
    'directories[1].people.filter is not a filter: write it as (objectClass=person)',
    'directories[1].people.address is not the name of an attribute: write it as mail or employeeNumber',
    'directories[2].name is taken by the accounts that the server keeps: write another name',
    'directories[2].type is "novell": write one of openldap, 389ds, activeDirectory, freeipa',
    'directories[3].servers is missing: write a list of 1 to 16 entries',
    'directories[3].people.base is missing: write text of at most 1024 characters',
    'domains[0].accounts[1] is "crop", which is no directory: write one of internal, corp, empty',
    'authentication.accounts names a source twice: name each once',
  ];
  for (const each of expected) expect(wrong).toContain(each);
  expect(wrong.filter((each) => !expected.includes(each))).toEqual([
    'directories[3].bind.dn is missing: write text of 1 to 1024 characters',
  ]);
});

test('groups are named so that it is clear whose they are', () => {
  const at = (base: object) => ({ ...directory(), groups: base });
  const groups = { base: 'ou=groups,dc=example,dc=org' };
  expect(problems({ directories: [at(groups)], adminGroups: ['wizards'] })).toEqual([]);
  const two = [at(groups), { ...at(groups), name: 'guests' }];
  expect(problems({ directories: two, adminGroups: ['corp/wizards', 'wizards'] })).toEqual([
    'adminGroups[1] is "wizards", which several directories may have: write one of corp/wizards, guests/wizards',
  ]);
  const nowhere = { search: { allow: ['staff'] }, groups: { mayLogIn: ['staff'] } };
  expect(problems({ directories: [directory(nowhere)] })).toEqual([
    'directories[0].search.allow names groups, but nothing says where they are: write groups.base',
    'directories[0].groups.mayLogIn names groups, but nothing says where they are: write groups.base',
  ]);
});

test('two directories have two names', () => {
  expect(problems({ directories: [directory(), directory()] })).toEqual([
    'directories names one twice: name each once',
  ]);
});
