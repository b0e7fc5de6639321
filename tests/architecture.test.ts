import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { importsOf, violations } from './architecture.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

function sources(): Map<string, string> {
  const files = globSync(['packages/*/src/**/*.ts', 'tests/**/*.ts', 'scripts/**/*.ts'], { cwd: root });
  return new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]));
}

function dependencies(): Map<string, string[]> {
  const names = readdirSync(join(root, 'packages')).filter((name) => existsSync(join(root, 'packages', name, 'src')));
  return new Map(
    names.map((name) => {
      const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'));
      return [name, Object.keys(manifest.dependencies ?? {})];
    }),
  );
}

test('the code keeps to the architecture', () => {
  expect(sources().size).toBeGreaterThan(20);
  expect(violations(sources(), dependencies())).toEqual([]);
});

test('plain JavaScript, which no compiler checks, imports files that there are', () => {
  const files = globSync(['scripts/*.mjs', 'tests/**/*.mjs'], { cwd: root });
  expect(files).toContain('scripts/parley.mjs');
  const missing = files.flatMap((file) =>
    importsOf(readFileSync(join(root, file), 'utf8'))
      .filter((name) => name.startsWith('.') && !existsSync(join(root, dirname(file), name)))
      .map((name) => `${file}: ${name}`),
  );
  expect(missing).toEqual([]);
});

test('imports are found in every form', () => {
  const text = `import a from 'a';\nimport type {\n  B,\n} from "./b.ts";\nexport * from 'c';\nimport 'd';
const e = await import('e');\nconst from = 'none';`;
  expect(importsOf(text).sort()).toEqual(['./b.ts', 'a', 'c', 'd', 'e']);
  expect(importsOf(text, true).sort()).toEqual(['a', 'c', 'd', 'e']);
});

describe('what breaks a rule is told', () => {
  const server = 'packages/server/src';
  const listed = new Map([['server', ['@parley/xmpp', 'ioredis', 'fastify']]]);
  const check = (files: Record<string, string>) => violations(new Map(Object.entries(files)), listed).join('\n');

  test.each([
    ['upwards', `${server}/net/tcp.ts`, `import '../stream/stream.ts';`, 'imports only point down'],
    ['sideways', `${server}/auth/internal.ts`, `import '../s2s/dialback.ts';`, 'siblings never import each other'],
    [
      'out of packages',
      `${server}/net/tcp.ts`,
      `import '../../../../scripts/check.ts';`,
      'nothing outside of packages/',
    ],
    [
      'a package above',
      'packages/xmpp/src/jid.ts',
      `import '@parley/server/node';`,
      'xmpp may import only: no package',
    ],
    [
      'reserved',
      `${server}/session/session.ts`,
      `import { connect } from 'node:net';`,
      'only packages/server/src/net may',
    ],
    ['redis', `${server}/session/routes.ts`, `import Redis from 'ioredis';`, 'only packages/keyspace/src/redis may'],
    ['not listed', `${server}/net/http.ts`, `import yaml from 'yaml/node';`, 'imports yaml, which packages/server'],
    ['without a place', `${server}/push/push.ts`, `import '../net/tcp.ts';`, 'push has no place'],
    ['a file in the first line', `${server}/printable.ts`, `import './net/tcp.ts';`, 'imports only point down'],
    ['an empty name', `${server}/net/socket-utils.ts`, '', 'the name says nothing'],
    ['a name in another case', `${server}/net/TcpServer.ts`, '', 'kebab-case'],
    ['a plain object', `${server}/net/tcp.ts`, `const seen: ${'Record'}<string, number> = {};`, 'Use a Map'],
    ['a long file', 'tests/long.ts', '\n'.repeat(401), '401 lines'],
    ['ldapts', `${server}/im/roster.ts`, `import { Client } from 'ldapts';`, 'only packages/server/src/auth/ldap may'],
    ['a filter of text', `${server}/auth/ldap/people.ts`, 'search(`(uid=$' + '{name})`)', 'makes a filter of text'],
    [
      'a filter of more text',
      `${server}/auth/ldap/people.ts`,
      'search(`(&(a=b)(uid=$' + '{name}))`)',
      'makes a filter of text',
    ],
    [
      'a parsed filter',
      `${server}/auth/ldap/people.ts`,
      `FilterParser.parseString('(uid=' + name + ')')`,
      'makes a filter of text',
    ],
    ['a mark', 'tests/mark.ts', `// ${'TO'}DO later`, 'is left in it'],
    ['a test left out', 'tests/mark.ts', ['test', 'skip("x")'].join('.'), 'skip is left in it'],
  ])('%s', (_, file, text, message) => {
    expect(check({ [file]: text })).toContain(message);
  });

  test('a XEP that imports another', () => {
    const files = {
      [`${server}/xeps/0199-ping.ts`]: `import './0030-disco/disco.ts';`,
      [`${server}/xeps/0030-disco/disco.ts`]: `import './items.ts';`,
      [`${server}/xeps/0030-disco/items.ts`]: '',
    };
    const told = check(files);
    expect(told).toContain('0199-ping.ts: imports packages/server/src/xeps/0030-disco/disco.ts, but a XEP never');
    expect(told).not.toContain('disco.ts: imports');
    expect(told).toContain('Write packages/server/src/xeps/0199-ping.test.ts');
  });

  test('a cycle', () => {
    const files = { 'packages/xmpp/src/a.ts': `import './b.ts';`, 'packages/xmpp/src/b.ts': `import './a.ts';` };
    expect(check({ ...files, 'packages/xmpp/src/b.ts': `import type { A } from './a.ts';` })).toBe('');
    expect(check(files)).toContain('packages/xmpp/src/a.ts → packages/xmpp/src/b.ts → packages/xmpp/src/a.ts: a cycle');
  });

  test('and what keeps the rules is not', () => {
    const files = {
      [`${server}/im/roster.ts`]: `import { Jid } from '@parley/xmpp/jid';\nimport '../routing/router.ts';`,
      [`${server}/im/roster.test.ts`]: `import '../xeps/0199-ping.ts';`,
      [`${server}/module.ts`]: `import './iq.ts';\nimport fs from 'node:fs';\nimport fastify from 'fastify';`,
    };
    expect(check(files)).toBe('');
  });
});
