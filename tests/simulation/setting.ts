import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { partition } from '@parley/keyspace/key';
import { accountIndexKeys, accountKeys } from '@parley/server/auth/account-store';
import { configurationSchema } from '@parley/server/config/schema';
import { type Module, moduleSettings } from '@parley/server/module';
import { modules as all } from '@parley/server/modules';
import { selfSignedFiles } from '@parley/server/net/self-signed';
import type { Setting } from './world.ts';

const MODULES = new Set([
  'roster',
  'strangers',
  'subscription',
  'presence',
  'requests',
  'stream-management',
  'delay',
  'carbons',
  'offline',
]);

let setting: Promise<Setting> | undefined;

/** The nodes' configuration and modules, made once. */
export function settingOf(): Promise<Setting> {
  setting ??= make();
  return setting;
}

async function make(): Promise<Setting> {
  const modules: readonly Module[] = all.filter(({ name }) => MODULES.has(name));
  const folder = join(tmpdir(), 'parley-tests');
  const { certificate, key } = await selfSignedFiles(folder, ['localhost']);
  const config = configurationSchema(moduleSettings(modules)).parse({
    domains: ['localhost'],
    listen: { c2s: [], c2sTls: [], http: [] },
    keyspace: { url: 'embedded::memory:' },
    tls: { certificate, key },
    admin: { socket: join(folder, 'parley.sock') },
    cluster: { secret: 'a secret that only the tests know of' },
    modules: { 'stream-management': { resumptionSeconds: 60 } },
    limits: { stanzas: { perSecond: 100_000, burst: 100_000, strangersPerHour: 100_000 } },
  });
  return {
    config,
    modules,
    async prepare({ keyspace }, accounts) {
      for (const account of accounts) {
        await keyspace.hset(accountKeys.key(account), [
          ['created', '0'],
          ['disabled', '0'],
        ]);
        await keyspace.sadd(accountIndexKeys.key(String(partition(account)), 'localhost'), account);
      }
    },
  };
}
