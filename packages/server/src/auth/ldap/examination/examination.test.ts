import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ActiveDirectory } from '../../../../../../tests/services/active-directory.ts';
import { Directory389 } from '../../../../../../tests/services/directory-389.ts';
import { Slapd } from '../../../../../../tests/services/slapd.ts';
import { GROUPS, PEOPLE, personDn, personEntry, SERVICE } from '../../../../../../tests/services/slapd-files.ts';
import { directoryEntry, settingsFor } from '../testing.ts';
import { examine } from './examination.ts';

let slapd: Slapd;
beforeAll(async () => {
  slapd = await Slapd.startLasting({ ldif: personEntry('guest', 'Stranger') });
  await slapd.modify(personDn('guest'), { mail: ['guest@elsewhere.example'] });
});
afterAll(() => slapd.end());

/** What is found, line by line. */
async function test(user?: string, more: object = {}, server = slapd, password?: string): Promise<string[]> {
  const lines: string[] = [];
  for (const { findings } of examine(settingsFor(directoryEntry(server, more)), user, password)) {
    for await (const { result, words } of findings) lines.push(`${result} ${words}`);
  }
  return lines;
}

describe('somebody', () => {
  it.each([
    ['guest', 'is no account, since it has "guest@elsewhere.example" as mail, which is in no domain'],
    ['rosaline@localhost', `is not below ${PEOPLE}, neither by mail nor by name`],
    ['romeo@elsewhere.example', 'is in no domain of this directory (localhost)'],
    ['parley', `is not below ${PEOPLE}`],
  ])('tells why %s is no account', async (user, words) => {
    const lines = await test(user);
    expect(lines.at(-1)).toMatch(/^failed /);
    expect(lines.at(-1)).toContain(words);
  });

  it('tells whom the filter leaves out', async () => {
    const lines = await test('romeo', { people: { base: PEOPLE, filter: '(sn=Capulet)' } });
    expect(lines.at(-1)).toContain(
      `is ${personDn('romeo')} (inetOrgPerson, authPasswordObject), which (sn=Capulet) does not fit`,
    );
  });

  it.each([
    ['must-change', { pwdReset: ['TRUE'] }, 'has to change the password before anything else'],
    ['locked', { pwdAccountLockedTime: ['20260101000000Z'] }, 'is locked'],
    ['disabled', { pwdAccountLockedTime: ['000001010000Z'] }, 'is disabled'],
  ])('who is %s is told', async (_, attributes, words) => {
    const dn = personDn('tybalt');
    await slapd.modify(dn, attributes);
    expect(await test('tybalt@localhost')).toContainEqual(`failed ${words}: change that in the directory`);
    await slapd.modify(dn, Object.fromEntries(Object.keys(attributes).map((name) => [name, []])));
    const lines = await test('tybalt@localhost', {}, slapd, 'pw-tybalt');
    expect(lines).toContain('ok may log in');
    expect(lines.at(-1)).toBe('ok the password is right');
  });
});

describe('the groups of somebody', () => {
  const groups = (more: object = {}) => ({ groups: { base: GROUPS, ...more } });

  it('are those around theirs, too', async () => {
    const lines = await test('romeo@localhost', groups());
    const names = ['montagues', 'lovers', 'verona'].map((name) => `cn=${name},${GROUPS}`);
    expect(lines.at(-1)).toBe(`note is in 3 groups: ${names.join('; ')}`);
  });

  it.each([
    ['Verona', 'ok is in verona, whose members may log in'],
    [
      'capulets',
      'failed is in none of the groups that may log in (corp/capulets): add the entry to one, or correct `groups.mayLogIn`',
    ],
  ])('say whether somebody may log in where only %s may', async (name, words) => {
    expect((await test('romeo@localhost', groups({ mayLogIn: [name] }))).at(-1)).toBe(words);
  });

  it('are the one that Active Directory does not name in the entry, too', async () => {
    const active = await ActiveDirectory.start();
    active.addPerson('romeo', { mail: 'romeo@localhost' });
    active.addGroup('Domain Users', [], 513);
    active.addGroup('montagues', ['romeo']);
    const lines = await test('romeo@localhost', {
      ...{ type: 'activeDirectory', servers: [active.url], startTls: false, allowUnencrypted: true },
      ...{ bind: ActiveDirectory.service, people: { base: ActiveDirectory.people } },
      ...{ groups: { base: ActiveDirectory.base } },
    });
    const names = ['Domain Users', 'montagues'].map((name) => `CN=${name},OU=Groups,${ActiveDirectory.base}`);
    expect(lines.at(-1)).toBe(`note is in 2 groups: ${names.join('; ')}`);
  });
});

it('tells that a directory with persistent search alone tells changes, too', async () => {
  const other = await Directory389.start({ plugins: false });
  await other.addPerson('romeo');
  const lines = await test(undefined, {
    ...{ type: '389ds', servers: [other.url], startTls: false, allowUnencrypted: true },
    ...{ bind: Directory389.manager, people: { base: Directory389.people } },
  });
  expect(lines).toContain('ok tells changes at once (persistent search)');
});

describe('what does not work is told with its cure', () => {
  it.each([
    ['expired', 'good until 2020-02-01. The certificate of the server has expired: renew it there'],
    ['wrong-host', 'a certificate for elsewhere.example, made by CN=Tests: authority'],
    ['unknown-authority', 'name in `authorities` a file with the certificate of its authority'],
  ] as const)('an %s certificate', async (kind, words) => {
    const bad = await Slapd.start({ certificate: kind });
    const lines = await test(undefined, {}, bad);
    expect(lines[1]).toMatch(/^failed /);
    expect(lines[1]).toContain(words);
    expect(lines).toHaveLength(2); // nothing was said to it
  });

  it.each([
    ['a wrong password', { bind: { dn: SERVICE.dn, password: 'wrong' } }, 'correct `bind.dn` or `bind.password`'],
    ['a wrong name', { bind: { dn: 'parley', password: 'wrong' } }, 'write `bind.dn` as a distinguished name'],
    ['a host that is none', { servers: ['ldap://nowhere.invalid'] }, 'The name nowhere.invalid is not known'],
    ['a port without server', { servers: ['ldap://localhost:1'] }, 'Nothing listens on localhost:1'],
    ['a base that is none', { people: { base: 'ou=nobody,dc=example,dc=org' } }, 'refuses (32'],
    ['a base without people', { people: { base: SERVICE.dn } }, 'correct `people.base` or `people.filter`'],
    ['addresses elsewhere', { people: { base: PEOPLE, address: 'uid' } }, 'as uid, which is no address'],
  ])('%s', async (_, more, words) => {
    const lines = await test(undefined, more);
    expect(lines.filter((line) => line.startsWith('failed')).join('\n')).toContain(words);
  });

  it('TLS on a port without', async () => {
    const lines = await test(undefined, { servers: [slapd.url.replace('ldap:', 'ldaps:')] });
    expect(lines.join('\n')).toMatch(/failed .*write ldaps:\/\/ for a port that begins with TLS/);
  });
});
