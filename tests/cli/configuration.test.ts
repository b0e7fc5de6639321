import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selfSigned } from '@parley/server/net/self-signed';
import { expect, it } from 'vitest';
import { Installation } from '../support/process.ts';

it('tells all that is wrong at once, with what to write instead, and starts nothing', async () => {
  const installation = new Installation({
    domains: ['localhost', 'localhost'],
    limits: { sesions: {}, stanzas: { perSecond: 'many' } },
    stream: { afterAuthentication: { maxStanzaBytes: 5 } },
    tls: { certificate: 'only-this.pem' },
  });
  const answers = await Promise.all(['check', 'start'].map((command) => installation.parley([command])));
  for (const { code, stdout, stderr } of answers) {
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.split('\n')).toEqual([
      'The configuration has 5 problems:',
      expect.stringMatching(/^ {2}domains names a domain twice: /),
      expect.stringMatching(/^ {2}tls has only one of `certificate` and `key`: /),
      expect.stringMatching(/^ {2}stream\.afterAuthentication\.maxStanzaBytes .+: .*10000/),
      expect.stringMatching(/^ {2}limits\.stanzas\.perSecond .+: /),
      expect.stringMatching(/^ {2}limits\.sesions .+: .*sessions/),
      '',
    ]);
  }
});

it('takes YAML, and what the environment says', async () => {
  const installation = new Installation();
  writeFileSync(installation.file, 'domains: [capulet.lit]\nlog:\n  level: warn\n');
  expect(await installation.parley(['check'])).toEqual({
    code: 0,
    stdout: `${installation.file} is good.\n`,
    stderr: '',
  });
  const { code, stderr } = await installation.parley(['check'], '', { PARLEY_LOG__LEVEL: 'loud' });
  expect([code, stderr]).toEqual([2, expect.stringContaining('log.level is "loud": ')]);
});

it('looks into certificates', async () => {
  const installation = new Installation();
  const place = (name: string, text: string) => {
    const file = join(installation.folder, name);
    writeFileSync(file, text);
    return file;
  };
  const one = await selfSigned(['localhost']);
  const other = await selfSigned(['localhost']);
  const certificate = place('one.crt', one.certificate);
  const key = place('one.key', one.key);
  const domain = (files: object) => ({ domains: [{ name: 'localhost', ...files }] });
  const check = async (config: object) => {
    installation.configure(config);
    const { code, stderr } = await installation.parley(['check']);
    return code === 0 ? 'good' : `${code} ${stderr.split('\n').slice(1).join('\n').trim()}`;
  };

  expect(await check({ tls: { certificate, key } })).toBe('good');
  const missing = join(installation.folder, 'missing.pem');
  expect(await check({ ...domain({ certificate: missing, key: place('text', 'no key') }) })).toBe(
    [
      `2 domains[localhost].certificate names ${missing}, which cannot be read (ENOENT): name a file that can`,
      `  domains[localhost].key names ${join(installation.folder, 'text')}, which holds nothing in PEM: name a PEM file`,
    ].join('\n'),
  );
  expect(await check(domain({ certificate, key: place('other.key', other.key) }))).toMatch(
    /^2 domains\[localhost\] has a `key` that does not belong to its `certificate`: /,
  );
  expect(await check({ tls: { certificate: key, key } })).toMatch(/^2 tls has a `certificate` that is none: /);
  expect(await check({ tls: { certificate, key: certificate } })).toMatch(/^2 tls has a `key` that is none: /);
  expect(await check({ tls: { ciphers: 'nonsense' } })).toMatch(/^2 tls cannot be used \(.*cipher.*\): /);
  expect(await check({ tls: { clientAuthorities: missing } })).toMatch(/^2 tls\.clientAuthorities names .*ENOENT/);
});
