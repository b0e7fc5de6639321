import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Licences under which Parley may use what it did not write. */
const LICENCES = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'Unlicense',
]);
/** Only for tests and builds: nothing of it goes into what runs. */
const DEVELOPMENT_LICENCES = new Set([...LICENCES, 'MPL-2.0', 'CC0-1.0', 'Python-2.0', 'Unicode-3.0']);

interface Manifest {
  name?: string;
  version?: string;
  license?: string | { type: string };
  licenses?: { type: string }[];
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

/** The licences of a package, of which any may be chosen. */
function licencesOf({ license, licenses = [] }: Manifest): string[] {
  const all = license === undefined ? licenses : [license];
  return all.flatMap((one) => (typeof one === 'string' ? one : one.type).replace(/[()]/g, '').split(' OR '));
}

const read = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest;

describe('dependencies', () => {
  const installed = globSync(
    ['node_modules/.pnpm/*/node_modules/*/package.json', 'node_modules/.pnpm/*/node_modules/@*/*/package.json'],
    { cwd: root },
  ).map(read);

  /** What the packages of the server need, and what those need. */
  const runtime = new Set<string>();
  const add = ({ dependencies, optionalDependencies }: Manifest) => {
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      if (runtime.has(name) || name.startsWith('@parley/')) continue;
      runtime.add(name);
      installed.filter((each) => each.name === name).forEach(add);
    }
  };
  globSync('packages/*/package.json', { cwd: root }).map(read).forEach(add);

  it('are found at all', () => {
    expect(installed.length).toBeGreaterThan(50);
    expect([...runtime]).toEqual(expect.arrayContaining(['ioredis', 'saxes']));
  });

  it('have licences that Parley may use', () => {
    const refused = installed
      .filter((each) => {
        const allowed = runtime.has(each.name ?? '') ? LICENCES : DEVELOPMENT_LICENCES;
        return !licencesOf(each).some((licence) => allowed.has(licence));
      })
      .map((each) => `${each.name} ${each.version}: ${licencesOf(each).join(', ') || 'no licence'}`);
    expect(refused).toEqual([]);
  });

  it('are pinned: an exact version in each manifest, with a checksum in the lock file', () => {
    const manifests = ['package.json', ...globSync('packages/*/package.json', { cwd: root })];
    const loose = manifests.flatMap((path) => {
      const { dependencies, optionalDependencies, devDependencies } = read(path) as Manifest & {
        devDependencies?: Record<string, string>;
      };
      return Object.entries({ ...dependencies, ...optionalDependencies, ...devDependencies })
        .filter(([, range]) => !/^(\d+\.\d+\.\d+(-[\w.]+)?|workspace:\*)$/.test(range))
        .map(([name, range]) => `${path}: ${name} ${range}`);
    });
    expect(loose).toEqual([]);
    const resolutions = readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8').match(/^ +resolution: .*$/gm) ?? [];
    expect(resolutions.length).toBeGreaterThan(50);
    expect(resolutions.filter((line) => !line.includes('integrity: sha512-'))).toEqual([]);
  });
});

describe('what is kept in the repository', () => {
  // assembled, so that this file is not found by itself
  const secrets = new RegExp(
    [
      `-----BEGIN (?:[A-Z]+ )?${'PRIVATE'} KEY-----\\s+[A-Za-z0-9+/]{40}`,
      `\\bgh[pousr]_${'[A-Za-z0-9]{36}'}`,
      `\\bgithub_pat_${'[A-Za-z0-9_]{40,}'}`,
      `\\bnpm_${'[A-Za-z0-9]{36}'}`,
      `\\bAKIA${'[A-Z0-9]{16}'}\\b`,
      `\\bxox[abpr]-${'[A-Za-z0-9-]{20,}'}`,
    ].join('|'),
  );

  it.each([
    ['a private key', `-----BEGIN ${'PRIVATE'} KEY-----\n${'MIIE'.repeat(16)}\n`],
    ['a token', `ghp_${'a1B2'.repeat(9)}`],
  ])('%s would be found', (_, text) => {
    expect(text).toMatch(secrets);
  });

  it('has no secret in it', () => {
    // what is installed, and what npm start and npm run demo leave here
    const exclude = ({ name, parentPath }: { name: string; parentPath: string }) =>
      ['node_modules', '.git', 'data'].includes(name) || join(parentPath, name) === join(root, 'demo');
    const files = globSync('**/*', { cwd: root, exclude, withFileTypes: true }).filter((each) => each.isFile());
    expect(files.length).toBeGreaterThan(100);
    const paths = files.map(({ parentPath, name }) => join(parentPath, name));
    expect(paths.filter((path) => secrets.test(readFileSync(path, 'latin1')))).toEqual([]);
  });
});
