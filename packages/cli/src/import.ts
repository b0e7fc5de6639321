import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EXISTING, type Existing } from '@parley/server/admin/data-administration';
import { Command, Option } from 'commander';
import { EXIT, Failed } from './exit.ts';
import { Progress } from './progress.ts';

interface Options {
  readonly existing: Existing;
  readonly strict?: boolean;
}

/** `parley import` */
export function importCommand(): Command {
  return new Command('import')
    .description('Take accounts with all that is kept of them from an export of this or another server (XEP-0227).')
    .argument('<file...>', 'the main file of an export, a folder of such files, or - for standard input')
    .addOption(
      new Option('--existing <what>', 'what becomes of accounts that are here already')
        .choices(EXISTING)
        .default('skip'),
    )
    .option('--strict', 'end at the first account that cannot be taken as a whole')
    .addHelpText('after', '\nWhere it breaks off, run it again: it goes on where it was, and takes nothing twice.')
    .action(async function (this: Command, names: string[]) {
      const { existing, strict = false } = this.opts<Options>();
      const { withData, readable } = await import('./data.ts'); // the whole server: not for a mere --help
      const { AccountsImport } = await import('./account-import.ts');
      const { ImportReport } = await import('./import-report.ts');
      const { readPortable } = await import('./portable-file.ts');
      const { XmlDocumentError } = await import('@parley/xmpp/xml-document');
      const report = new ImportReport();
      let bytesRead = 0;
      const reads = readable();
      const onRead = (bytes: number) => {
        bytesRead += bytes;
      };
      const files = names.flatMap(filesOf);
      if (files.length === 0) throw new Failed(`There is no file that ends in .xml in ${names.join(', ')}.`);
      try {
        using _progress = new Progress({ accounts: () => report.accounts, bytes: () => bytesRead });
        await withData(this, true, async (data) => {
          const accounts = new AccountsImport(data, { existing, strict, report });
          for (const { file, skipsParts } of files)
            await accounts.take(readPortable(file, { reads, onRead, skipsParts }));
        });
      } catch (error) {
        if (error instanceof XmlDocumentError) throw new Failed(`${error.message} ${AGAIN}`);
        throw error;
      } finally {
        for (const line of report.problems()) process.stderr.write(`${line}\n`);
        for (const line of report.summary()) process.stdout.write(`${line}\n`);
      }
      if (report.failed > 0) process.exitCode = EXIT.failed;
    });
}

const AGAIN = 'What stood before it is imported. Once the file is mended, import it again.';

function filesOf(name: string): { file: string; skipsParts: boolean }[] {
  if (name === '-' || !statSync(name).isDirectory()) return [{ file: name, skipsParts: false }];
  const files = readdirSync(name).filter((each) => each.endsWith('.xml'));
  return files.sort().map((each) => ({ file: join(name, each), skipsParts: true }));
}
