import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Slapd } from '../services/slapd.ts';
import { PEOPLE, personDn, personEntry, SERVICE } from '../services/slapd-files.ts';
import { Installation } from '../support/process.ts';

let slapd: Slapd;
beforeAll(async () => {
  slapd = await Slapd.startLasting({ ldif: personEntry('guest', 'Stranger') });
  await slapd.modify(personDn('guest'), { mail: ['guest@elsewhere.example'] });
});
afterAll(() => slapd.end());

/** What `parley directory test` says of a directory, line by line. */
async function test(args: string[], more: object = {}, input = '', server = slapd) {
  const entry = {
    name: 'corp',
    servers: [server.url],
    authorities: server.authorities,
    bind: { dn: SERVICE.dn, passwordFile: 'password' },
    people: { base: PEOPLE },
    ...more,
  };
  const installation = new Installation({ authentication: { accounts: ['corp'] }, directories: [entry] });
  writeFileSync(join(installation.folder, 'password'), `${SERVICE.password}\n`);
  const { code, stdout, stderr } = await installation.parley(['directory', 'test', ...args], input);
  expect(stdout + stderr).not.toContain(SERVICE.password);
  return {
    code,
    stderr,
    lines: stdout
      .trim()
      .split('\n')
      .map((line) => line.trim()),
  };
}

const starting = (...words: string[]) => words.map((each) => expect.stringContaining(each));

describe('a directory that works', () => {
  it('is told step by step', async () => {
    for (const url of [slapd.url, slapd.tlsUrl]) {
      const { code, lines, stderr } = await test([], { servers: [url] });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(lines).toEqual(
        starting(
          'corp (openldap), for localhost',
          url,
          'ok      takes connections (127.0.0.1, port ',
          'ok      is encrypted, with a certificate for localhost, 127.0.0.1, 0:0:0:0:0:0:0:1, made by CN=Tests: authority, good until 2049-12-31',
          `ok      lets ${SERVICE.dn} in`,
          `ok      has 7 people below ${PEOPLE}, of whom 6 are accounts`,
          `-       ${personDn('guest')} has "guest@elsewhere.example" as mail, which is in no domain of this directory (localhost)`,
          '-       has 4 groups below dc=example,dc=org',
          'ok      tells what becomes of passwords',
          'ok      tells changes at once (content synchronisation)',
          '-       speaks SCRAM-SHA-',
          'All of it works.',
        ),
      );
    }
  });

  it('has somebody, who has a password and groups', async () => {
    const { code, lines } = await test(['romeo@localhost', '--password'], {}, 'pw-romeo\n');
    expect(code).toBe(0);
    expect(lines.slice(-6)).toEqual(
      starting(
        'romeo@localhost',
        `ok      is ${personDn('romeo')}; mail makes it romeo@localhost, entryUUID is `,
        'ok      may log in',
        '-       is in 2 groups: ',
        'ok      the password is right',
        'All of it works.',
      ),
    );
  });

  it('has somebody whose password is wrong, or missing', async () => {
    const wrong = await test(['romeo', '-p'], {}, 'wrong\n');
    expect(wrong.code).toBe(1);
    expect(wrong.lines.at(-2)).toMatch(/^FAILED {2}the password is not right \(49/);
    const missing = await test(['romeo', '-p'], {}, '');
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('no password on standard input') });
  });
});

describe('what does not work is told with its cure', () => {
  it('several servers, of which one fails', async () => {
    const { code, lines } = await test([], { servers: ['ldap://localhost:1', slapd.url] });
    expect(code).toBe(1);
    expect(lines.filter((line) => line.startsWith('FAILED'))).toEqual(
      starting('Nothing listens on localhost:1: start'),
    );
    expect(lines.filter((line) => line.startsWith('ok'))).toHaveLength(6);
    expect(lines.at(-1)).toContain('Something does not work');
  });

  it('no directory at all, or another one', async () => {
    const installation = new Installation();
    const { code, stderr } = await installation.parley(['directory', 'test']);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('docs/directory.md') });
    expect((await test(['-d', 'other'])).stderr).toBe('There is no directory other: there is corp.\n');
  });
});
