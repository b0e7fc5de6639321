import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { loadConfiguration } from './load.ts';
import { ConfigurationError } from './problem.ts';

function load(config: object, files: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'parley.yaml'), stringify(config));
  return loadConfiguration({ file: join(folder, 'parley.yaml'), env: {} });
}

test('a component needs a domain and a secret, which may be in a file', () => {
  const { components, listen } = load(
    {
      domains: ['example.org'],
      components: [
        { domain: 'IRC.example.org', secret: 'known to both' },
        { domain: 'rooms.example.net', secretFile: 'rooms', subdomains: true, instances: 1 },
      ],
    },
    { rooms: 'from a file\n' },
  );
  expect(components).toMatchObject([
    { domain: 'irc.example.org', secret: 'known to both', listed: true, subdomains: false },
    { domain: 'rooms.example.net', secret: 'from a file', subdomains: true, instances: 1 },
  ]);
  expect(listen.components).toEqual([{ host: '127.0.0.1', port: 5347 }]);
});

test('all that is wrong is told at once, each with its cure', () => {
  let told: string[] = [];
  try {
    load({
      domains: ['example.org'],
      components: [
        { domain: 'example.org', secret: 'known to both' },
        { domain: 'irc.example.org' },
        { domain: 'IRC.example.org', secret: 'short' },
        { domain: 'irc example', secret: 'known to both', instances: 0 },
        { domain: 'a.example.org', secret: 'known to both', secretFile: 'none' },
      ],
    });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    expect(error.message).not.toContain('known to both');
    told = error.problems.map(({ path, problem, cure }) => `${path} ${problem}: ${cure}`);
  }
  const paths = told.map((line) => line.split(' ')[0]);
  expect(paths.sort()).toEqual([
    'components[0].domain',
    'components[1].secret',
    'components[2].domain',
    'components[2].secret',
    'components[3].domain',
    'components[3].instances',
    'components[4].secretFile',
  ]);
});
