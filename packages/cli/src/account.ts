import type { AccountAdministration } from '@parley/server/admin/account-administration';
import { Command } from 'commander';
import { withAccounts } from './accounts.ts';
import { newPassword } from './password.ts';

/** `parley account …` */
export function accountCommand(): Command {
  const account = new Command('account').description('Accounts that this server keeps itself.');
  const say = (text: string) => process.stdout.write(`${text}\n`);

  const change = (
    name: string,
    description: string,
    done: string,
    act: (all: AccountAdministration, jid: string) => Promise<void>,
  ) =>
    account
      .command(name)
      .description(description)
      .argument('<jid>', 'the account, as user@domain')
      .action(async function (this: Command, jid: string) {
        await withAccounts(this, (all) => act(all, jid));
        say(done.replace('%', jid));
      });

  const stdin = 'The password is asked for, or read as the first line of standard input.';
  change('add', `Make an account. ${stdin}`, '% can log in now.', async (all, jid) =>
    all.add(jid, await newPassword(jid)),
  );
  change('passwd', `Set a password. ${stdin}`, 'The password of % is changed.', async (all, jid) =>
    all.setPassword(jid, await newPassword(jid)),
  );
  change('disable', 'Log an account out and let it in no more.', '% is disabled.', (all, jid) => all.disable(jid));
  change('enable', 'Let a disabled account in again.', '% can log in again.', (all, jid) => all.enable(jid));
  change('remove', 'Remove an account and everything of it, for good.', '% is removed.', (all, jid) => all.remove(jid));

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
