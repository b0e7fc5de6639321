import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { loadConfiguration } from '../../packages/server/src/config/load.ts';
import { documents, pathOf } from './documents.ts';

it.each([...documents])('%s is as the code makes it (else: npm run generate)', (document, make) => {
  expect(readFileSync(pathOf(document), 'utf8')).toBe(make());
});

it('the example configuration is a right one', () => {
  const file = fileURLToPath(new URL('configuration-example.yaml', import.meta.url));
  const { domains, keyspace } = loadConfiguration({ file, env: {} });
  expect(domains).toHaveLength(2);
  expect(keyspace.url).toBe('embedded:/var/lib/parley');
});
