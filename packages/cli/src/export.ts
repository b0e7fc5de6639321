import { once } from 'node:events';
import {
  type DataAdministration,
  type ExportChoice,
  READERS,
  type Reader,
} from '@parley/server/admin/data-administration';
import { Command, Option } from 'commander';
import { counted } from './counted.ts';
import { Failed, Usage } from './exit.ts';
import { PartFile } from './part-file.ts';
import { Progress } from './progress.ts';

interface Options {
  readonly domain?: string;
  readonly account?: string;
  readonly for?: Reader;
  readonly anew?: boolean;
}

/** `parley export` */
export function exportCommand(): Command {
  return new Command('export')
    .description('Write all accounts with all that is kept of them into a file that other servers read (XEP-0227).')
    .argument('<file>', 'where to, or - for standard output; it holds what one can log in by, so keep it safe')
    .option('-d, --domain <domain>', 'the accounts of one domain alone')
    .option('-a, --account <jid>', 'one account alone')
    .addOption(
      new Option('--for <server>', 'for a server that needs its passwords in a way of its own').choices(READERS),
    )
    .option('--anew', 'begin anew, and do not go on with what an export that broke off has left')
    .addHelpText(
      'after',
      '\nWhere it breaks off, run it again: it goes on where it was, unless it writes to standard output.',
    )
    .action(async function (this: Command, file: string) {
      const { domain, account, for: reader, anew } = this.opts<Options>();
      if (domain !== undefined && account !== undefined) throw new Usage('Name a domain or an account, not both.');
      const { withData } = await import('./data.ts'); // the whole server: not for a mere --help
      const choice = { domain, account, reader };
      const accounts = await withData(this, false, (data) =>
        file === '-' ? toOutput(data, choice) : toFile(data, choice, file, anew),
      );
      process.stderr.write(`${counted(accounts, 'account')} written.\n`);
    });
}

const BROKEN_OFF = 'The node broke off';

async function toFile(data: DataAdministration, choice: ExportChoice, file: string, anew?: boolean): Promise<number> {
  await using part = await PartFile.open(file, inWords(choice), anew);
  const { accounts, begun, last: after } = part;
  if (accounts > 0)
    process.stderr.write(
      `Going on behind the ${counted(accounts, 'account')} of an export that was begun at ${begun}.\n`,
    );
  using _progress = new Progress({ accounts: () => part.accounts, bytes: () => part.bytes });
  try {
    let end = '';
    for await (const piece of data.export({ ...choice, after })) {
      await part.add(piece);
      end = piece.text;
    }
    if (!end.endsWith(END)) throw new Failed(`${BROKEN_OFF}.`);
    await part.finish();
  } catch (error) {
    if (part.last !== undefined)
      process.stderr.write('The export is broken off. Run it again, and it goes on where it is.\n');
    throw error;
  }
  return part.accounts;
}

async function toOutput(data: DataAdministration, choice: ExportChoice): Promise<number> {
  let accounts = 0;
  let bytes = 0;
  let end = '';
  using _progress = new Progress({ accounts: () => accounts, bytes: () => bytes });
  for await (const piece of data.export(choice)) {
    accounts += piece.accounts;
    bytes += Buffer.byteLength(piece.text);
    end = piece.text;
    if (!process.stdout.write(piece.text)) await once(process.stdout, 'drain');
  }
  if (!end.endsWith(END)) throw new Failed(`${BROKEN_OFF}: export again.`);
  return accounts;
}

/** The document is whole. */
const END = '</server-data>\n';

const inWords = ({ domain, account, reader }: ExportChoice): string =>
  `an export of ${account ?? (domain === undefined ? 'all domains' : `the domain ${domain}`)}${reader === undefined ? '' : ` for ${reader}`}`;
