import { once } from 'node:events';
import { Command } from 'commander';
import { intoFile } from './into-file.ts';

/** `parley backup` */
export function backupCommand(): Command {
  return new Command('backup')
    .description('Write everything that is stored into one file, while the server runs (embedded keyspace).')
    .argument('<file>', 'where to, or - for standard output; it holds all that there is, so keep it safe')
    .action(async function (this: Command, file: string) {
      const { withData } = await import('./data.ts'); // the whole server: not for a mere --help
      const { BackupReader } = await import('./backup-reader.ts');
      let size = 0;
      await withData(this, false, (data) =>
        intoFile(file, async (output) => {
          const reader = new BackupReader();
          for await (const piece of data.backup()) {
            reader.take(piece);
            size += piece.length;
            if (!output.write(piece)) await once(output, 'drain');
          }
          reader.end();
        }),
      );
      process.stderr.write(`${(size / 1e6).toFixed(1)} MB written.\n`);
    });
}
