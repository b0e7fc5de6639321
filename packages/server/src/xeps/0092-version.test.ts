import { release } from 'node:os';
import { NS } from '@parley/xmpp/namespaces';
import { expect, it } from 'vitest';
import { startServer } from '../../../../tests/support/server.ts';
import { version } from '../version.ts';
import module from './0092-version.ts';

const ask = async (options: Record<string, boolean> = {}) => {
  const server = await startServer({ modules: [module], config: { modules: { version: options } } as never });
  const romeo = await server.client('romeo@localhost/orchard');
  const answer = await romeo.request('get', `<query xmlns='${NS.version}'/>`, 'localhost');
  return answer.firstChild;
};

it('tells name and version, and nothing of the operating system', async () => {
  expect((await ask())?.elements.map((child) => [child.name, child.text])).toEqual([
    ['name', 'Parley'],
    ['version', version],
  ]);
  expect(version).toMatch(/^\d+\.\d+\.\d+/);
});

it('keeps the version to itself where it is told to', async () => {
  expect((await ask({ showVersion: false }))?.childText('version')).toBe('');
});

it('tells the operating system where it is told to', async () => {
  expect((await ask({ showSystem: true }))?.childText('os')).toContain(release());
});
