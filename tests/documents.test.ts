import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfiguration } from '@parley/server/config/load';
import { moduleSettings } from '@parley/server/module';
import { modules } from '@parley/server/modules';
import { afterAll, describe, expect, it } from 'vitest';
import { blocksOf, mistakes, type Repository } from './documents.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const paths = globSync(['*.md', 'docs/**/*.md', 'helm/**/*.md', 'tests/**/*.md'], { cwd: root });
const documents = new Map(paths.map((path) => [path, read(path)]));
const blocks = [...documents].flatMap(([path, text]) => blocksOf(text).map((block) => ({ path, ...block })));

const folder = mkdtempSync(join(tmpdir(), 'parley-documents-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Paths of options, as documents write them. */
function optionsOf(schema: Schema, path = ''): string[] {
  const inside = Object.entries(schema.properties ?? {}).flatMap(([name, option]) => {
    const here = path === '' ? name : `${path}.${name}`;
    return [here, ...optionsOf(option, here)];
  });
  const items = schema.items === undefined ? [] : optionsOf(schema.items, `${path}[]`);
  return [...inside, ...items, ...(schema.anyOf ?? []).flatMap((each) => optionsOf(each, path))];
}

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
}

it('have no dead links, commands or names, and docs/README.md lists them', () => {
  expect(documents.size).toBeGreaterThan(10);
  const options = optionsOf(JSON.parse(read('docs/configuration.schema.json')));
  expect(options).toContain('domains[].certificate');
  const files = globSync(['*.ts', '{packages/*/src,scripts,tests}/**/*.{ts,mjs,lua,py}'], { cwd: root });
  const sources = files
    .filter((path) => /^packages\/(?!.*\.test\.)/.test(path))
    .map(read)
    .join('\n');
  const metrics = read('docs/metrics.md');
  const wrong = mistakes({
    documents,
    files,
    scripts: Object.keys(JSON.parse(read('package.json')).scripts),
    exists: (path) => existsSync(join(root, path)),
    means: (name) => options.includes(name) || sources.includes(`'${name}'`) || metrics.includes(`\`${name}\``),
  });
  expect(wrong).toEqual([]);
});

const decisions = paths.filter((path) => path.startsWith('docs/decisions/')).sort();

it.each(decisions)('%s has its number, its parts, and no more than a page', (path) => {
  expect(path).toMatch(new RegExp(`/${String(decisions.indexOf(path) + 1).padStart(4, '0')}-[a-z0-9-]+\\.md$`));
  const text = documents.get(path) ?? '';
  expect(text.match(/^## .*$/gm)).toEqual(['## Context', '## Decision', '## Consequences']);
  expect(text.split('\n').length).toBeLessThanOrEqual(60);
});

it.each(blocks.filter(({ text }) => /^# (parley|one)\.yaml\n/.test(text)))(
  'the configuration in $path is a right one',
  ({ text }) => {
    const file = join(folder, 'parley.yaml');
    writeFileSync(file, text);
    expect(() => loadConfiguration({ file, env: {}, modules: moduleSettings(modules) })).not.toThrow();
  },
);

const quoted = blocks.flatMap((block) => {
  const [, file, text] = /^\/\/ (packages\/\S+)\n([\s\S]*)$/.exec(block.text) ?? [];
  return file !== undefined && text !== undefined ? [{ path: block.path, file, text }] : [];
});

it.each(quoted.filter(({ path }) => path !== 'CONTRIBUTING.md'))('$path shows $file as it is', ({ file, text }) => {
  expect(read(file)).toContain(text);
});

// The example is put where its imports find what they name; its own test then runs here.
describe('the example in CONTRIBUTING.md', async () => {
  const example = quoted.filter(({ path }) => path === 'CONTRIBUTING.md');
  for (const { file, text } of example) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  for (const needed of ['packages/server/src/module.ts', 'packages/server/node_modules', 'tests', 'node_modules']) {
    symlinkSync(join(root, needed), join(folder, needed));
  }
  const test = example.find(({ file }) => file.endsWith('.test.ts'))?.file ?? '';
  await import(/* @vite-ignore */ join(folder, test));
});

describe('what is wrong is told', () => {
  const told = (text: string, path = 'docs/one.md') => {
    const repository: Repository = {
      documents: new Map([
        ['docs/README.md', '[one](one.md) [operations](operations.md)\n\n## The end'],
        [path, text],
      ]),
      scripts: ['start', 'check'],
      files: ['packages/server/src/net/tcp.ts'],
      exists: (file) => /^docs\/(README|one|operations)\.md$/.test(file),
      means: (name) => ['log.level', 'xmpp_io_bytes_total'].includes(name),
    };
    return mistakes(repository);
  };

  it.each([
    ['[two](two.md)', ['docs/one.md: the link to two.md leads nowhere.']],
    ['[end](README.md#end)', ['docs/one.md: docs/README.md has no heading for #end.']],
    [
      'npm run bild and npm test',
      ['docs/one.md: package.json has no script bild.', 'docs/one.md: package.json has no script test.'],
    ],
    ['    npm run --silent bild', ['docs/one.md: package.json has no script bild.']],
    ['`net/udp.ts` `p.ts`', ['net/udp.ts', 'p.ts'].map((name) => `docs/one.md: there is no file ${name}.`)],
    ['[end](README.md#the-end) [web](https://xmpp.org) npm start, npm run check `net/tcp.ts` `tcp.ts` `[x](y)`', []],
  ])('%s', (text, messages) => {
    expect(told(text)).toEqual(messages);
  });

  it('an option, metric or event that is none, where operators read it', () => {
    const text = '`log.levle` `log.level` `data/parley.sock` `xmpp_io_bytes_total` xmpp_io';
    const messages = ['log.levle', 'xmpp_io'].map((name) => `docs/operations.md: nothing is called ${name}.`);
    expect(told(text, 'docs/operations.md')).toEqual(messages);
    expect(told(text)).toEqual([]);
  });

  it('a document that is not listed', () => {
    expect(told('', 'docs/two.md')).toEqual(['docs/README.md: does not list docs/two.md.']);
  });
});
