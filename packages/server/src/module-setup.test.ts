import { expect, it } from 'vitest';
import { startServer } from '../../../tests/support/server.ts';
import { moduleSettings } from './module.ts';
import { modules } from './modules.ts';

const switchable = modules.filter(({ essential }) => !essential).map(({ name }) => name);

it.each(switchable)('a node runs with %s switched off', async (name) => {
  const server = await startServer({ config: { modules: { [name]: false } } as never });
  expect(server.node.config.modules[name]?.enabled).toBe(false);
});

it('knows the modules that are no choice', () => {
  expect(modules.filter(({ essential }) => essential).map(({ name }) => name)).toEqual([
    'account-scopes',
    'roster',
    'subscription',
    'presence',
    'account-moves',
    'components',
    'privileges',
    'delegation',
  ]);
  expect(moduleSettings(modules).map(({ name }) => name)).toEqual(switchable);
});
