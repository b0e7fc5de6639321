import { Command } from 'commander';
import { EXIT, Failed } from './exit.ts';
import { currentPassword } from './password.ts';

interface TestOptions {
  directory?: string;
  password?: boolean;
}

const MARK = { ok: 'ok    ', failed: 'FAILED', note: '-     ' } as const;

/** `parley directory …` */
export function directoryCommand(): Command {
  const directory = new Command('directory').description('Directories (LDAP) that accounts come from.');
  directory
    .command('test')
    .description('Look at each server of the directories step by step, and say what works and what does not.')
    .argument('[user]', 'somebody whose entry is looked for, as user@domain or by a name')
    .option('-d, --directory <name>', 'this directory alone')
    .option('-p, --password', 'try the password of that user, asked for, or the first line of standard input')
    .action(async function (this: Command, user?: string) {
      const { directory, password } = this.opts<TestOptions>();
      if (password && user === undefined) throw new Failed('A password is of somebody: name the user, too.');
      const given = password && user !== undefined ? await currentPassword(user) : undefined;
      if (!(await test(this, directory, user, given))) process.exitCode = EXIT.failed;
    });
  return directory;
}

/** True where everything works. */
async function test(command: Command, name?: string, user?: string, password?: string): Promise<boolean> {
  // all modules: not for a mere --help
  const { directorySettings } = await import('@parley/server/auth/ldap/directory-settings');
  const { examine } = await import('@parley/server/auth/ldap/examination/examination');
  const { printable } = await import('@parley/server/printable');
  const { readConfiguration } = await import('./configuration.ts');
  const all = directorySettings(readConfiguration(command));
  const chosen = all.filter((each) => name === undefined || each.name === name);
  if (chosen.length === 0) {
    throw new Failed(
      name === undefined
        ? 'The configuration has no directory: write one under `directories`, as docs/directory.md shows.'
        : `There is no directory ${printable(name)}: there is ${all.map((each) => each.name).join(', ') || 'none'}.`,
    );
  }
  const say = (text: string) => process.stdout.write(`${printable(text)}\n`);
  let good = true;
  for (const settings of chosen) {
    say(`${settings.name} (${settings.type}), for ${[...settings.domains].join(', ') || 'no domain'}`);
    for (const { title, findings } of examine(settings, user, password)) {
      say(`  ${title}`);
      for await (const { result, words } of findings) {
        say(`    ${MARK[result]}  ${words}`);
        if (result === 'failed') good = false;
      }
    }
  }
  say(good ? 'All of it works.' : 'Something does not work: see what stands behind FAILED.');
  return good;
}
