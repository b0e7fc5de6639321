import { modules } from '@parley/server/modules';
import { expect, it } from 'vitest';
import { sourceModules } from './source-modules.ts';
import { supportedXeps } from './supported-xeps.ts';

it('every module of the server is in its list, under a name of its own', async () => {
  const files = await sourceModules((path) => /\/src\/(im|xeps)\//.test(path));
  const found = [...files].filter(([, { default: module }]) => module !== undefined);
  const listed = new Set<unknown>(modules);
  expect(found.filter(([, { default: module }]) => !listed.has(module)).map(([path]) => path)).toEqual([]);
  expect(found).toHaveLength(modules.length);
  expect(new Set(modules.map(({ name }) => name)).size).toBe(modules.length);
});

it('every module lies in a file with the number of its XEP', () => {
  const misplaced = supportedXeps()
    .filter(({ path }) => path.includes('/xeps/'))
    .filter(({ path, module, number }) => {
      const numbers = module?.xeps?.map((xep) => xep.number) ?? [number];
      return !numbers.some((own) => path.includes(`/xeps/${String(own).padStart(4, '0')}-`));
    });
  expect(misplaced.map(({ path }) => path)).toEqual([]);
});

it('no XEP is claimed twice', () => {
  const numbers = supportedXeps().map(({ number }) => number);
  expect(numbers).toEqual([...new Set(numbers)]);
});
