import { globSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Loads every file of the server that `concerns` by its path in the repository, tests apart: path → what it exports. */
export async function sourceModules(
  concerns: (path: string) => boolean,
): Promise<Map<string, Record<string, unknown>>> {
  const paths = globSync('packages/server/src/**/*.ts', { cwd: root }).filter((path) => !path.endsWith('.test.ts'));
  const loaded = new Map<string, Record<string, unknown>>();
  for (const path of paths.filter(concerns).sort()) {
    loaded.set(path, await import(pathToFileURL(join(root, path)).href));
  }
  return loaded;
}
