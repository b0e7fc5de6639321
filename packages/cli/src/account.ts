import type { AccountAdministration } from '@parley/server/admin/account-administration';
import { Command } from 'commander';
import { tellMove } from './account-move-progress.ts';
import { Usage } from './exit.ts';
import { newPassword } from './password.ts';

/** `parley account …` */
export function accountCommand(): Command {
  const account = new Command('account').description('Accounts that this server keeps itself.');
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const withAccounts = async (command: Command, act: (all: AccountAdministration) => Promise<void>) =>
    (await import('./accounts.ts')).withAccounts(command, act); // the whole server: not for a mere --help

  const change = (
    name: string,
    description: string,
    done: string,
    act: (all: AccountAdministration, jid: string, password: string) => Promise<void>,
    askPassword = async (_jid: string) => '',
  ) =>
    account
      .command(name)
      .description(description)
      .argument('<jid>', 'the account, as user@domain')
      .action(async function (this: Command, jid: string) {
        if (!/^[^@/]+@[^@/]+$/.test(jid))
          throw new Usage(`${JSON.stringify(jid)} is no account: write it as user@domain.`);
        const password = await askPassword(jid); // first, since the accounts may be locked by whoever has them open
        await withAccounts(this, (all) => act(all, jid, password));
        say(done.replace('%', jid));
      });

  const stdin = 'The password is asked for, or read as the first line of standard input.';
  const add = (all: AccountAdministration, jid: string, password: string) => all.add(jid, password);
  const set = (all: AccountAdministration, jid: string, password: string) => all.setPassword(jid, password);
  change('add', `Make an account. ${stdin}`, '% can log in now.', add, newPassword);
  change('passwd', `Set a password. ${stdin}`, 'The password of % is changed.', set, newPassword);
  change('disable', 'Log an account out and let it in no more.', '% is disabled.', (all, jid) => all.disable(jid));
  change('enable', 'Let a disabled account in again.', '% can log in again.', (all, jid) => all.enable(jid));
  change('remove', 'Remove an account and everything of it, for good.', '% is removed.', (all, jid) => all.remove(jid));

  account
    .command('move')
    .description('Give an account another address, with its roster, vCard, waiting messages and all else.')
    .argument('<old>', 'the account, as user@domain')
    .argument('<new>', 'its new address')
    .action(async function (this: Command, old: string, next: string) {
      await withAccounts(this, (all) => tellMove(all.move(old, next), old, next, say));
    });

  account
    .command('list')
    .description('List accounts.')
    .argument('[domain]', 'those of one domain alone')
    .option('--json', 'one JSON object a line')
    .action(async function (this: Command, domain?: string) {
      const { json } = this.opts<{ json?: boolean }>();
      await withAccounts(this, async (all) => {
        for await (const page of all.list(domain)) {
          for (const { jid, enabled } of page)
            say(json ? JSON.stringify({ jid, enabled }) : `${jid}${enabled ? '' : '  (disabled)'}`);
        }
      });
    });
  return account;
}
