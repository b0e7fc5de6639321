import { readFileSync } from 'node:fs';
import { type Keys, renderKeys } from '@parley/keyspace/key-declaration';
import { sourceModules } from './source-modules.ts';

const INTRODUCTION = `# Keys of the keyspace

What the server keeps, under which keys, and what keeps it from growing. Made from the declarations in the code by
\`npm run generate\`.

All keys of an account lie in one partition, so that what is changed together can be changed atomically; \`{p}\` stands
for the partition's tag, \`{p0}\` to \`{p1023}\`, which is a hash of the bare JID. Parts are percent-encoded where they hold
\`%\`, \`:\`, braces, \`*\` or control characters. Whatever belongs to an account goes when the account is removed.

`;

const declares = (path: string) =>
  /\bdeclareKeys\(/.test(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
const files = await sourceModules(declares);

/** docs/keyspace.md: every key that any file of the server declares. */
export function keyspaceDocument(): string {
  const declared = [...files].flatMap(([path, exported]) => {
    const keys = Object.values(exported).filter(isKeys);
    if (keys.length === 0) throw new Error(`${path} declares keys that it does not export: export them.`);
    return keys;
  });
  return INTRODUCTION + renderKeys(declared);
}

function isKeys(value: unknown): value is Keys {
  return typeof value === 'object' && value !== null && 'key' in value && 'bound' in value && 'ttl' in value;
}
