import { join } from 'node:path';
import { Command } from 'commander';
import { Failed } from './exit.ts';

/** `parley restore` */
export function restoreCommand(): Command {
  return new Command('restore')
    .description(
      'Put a backup in the place of everything that is stored (embedded keyspace). The server must be stopped.',
    )
    .argument('<file>', 'the backup, or - for standard input')
    .action(async function (this: Command, file: string) {
      const { readConfiguration } = await import('./configuration.ts'); // all modules: not for a mere --help
      const { embeddedFolder } = await import('@parley/server/certificates');
      const { audited } = await import('./audited.ts');
      const config = readConfiguration(this);
      const folder = embeddedFolder(config);
      if (folder === undefined)
        throw new Failed('The data are in Redis, which is restored by its own means: see docs/data.md.');
      await audited(config, async (log, administrator) => {
        const socket = config.admin.socket;
        const domains = await administrator.refusing({ act: 'restore' }, () => restore(file, folder, socket));
        log.info('data.restored', { domains, by: administrator.by });
      });
    });
}

/** Resolves with the domains of the backup. */
async function restore(file: string, folder: string, socket: string): Promise<readonly string[]> {
  const { BEFORE, RestoreFolder } = await import('@parley/keyspace/embedded/restore');
  const { makeFolder } = await import('@parley/keyspace/embedded/owned-files');
  const { NodeClient } = await import('./node-client.ts');
  const { extractBackup } = await import('./backup-reader.ts');
  if ((await NodeClient.connect(socket)) !== undefined) {
    throw new Failed('The server runs: stop it first. What its users do meanwhile would be lost.');
  }
  makeFolder(folder);
  using place = new RestoreFolder(folder);
  const { created, version, domains } = await extractBackup(file, place.file);
  const held = place.replace();
  process.stdout.write(`Everything is as it was at ${created} (version ${version}: ${domains.join(', ')}).\n`);
  if (held)
    process.stdout.write(`What was here is in ${join(folder, BEFORE)}: remove it once it is not needed any more.\n`);
  return domains;
}
