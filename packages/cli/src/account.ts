import type { AccountAdministration } from '@parley/server/admin/account-administration';
import { Command } from 'commander';
import { clientLine } from './account-clients.ts';
import { tellMove } from './account-move-progress.ts';
import { Usage } from './exit.ts';
import { newPassword } from './password.ts';

const HINT = 'Whoever knows the password can log in again.';

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
    .command('export')
    .description('Write all that is kept about an account into files that a person can read.')
    .argument('<jid>', 'the account, as user@domain')
    .argument('<folder>', 'where to; it is made')
    .action(async function (this: Command, jid: string, folder: string) {
      const { withData } = await import('./data.ts');
      const { writeArchive } = await import('./account-archive.ts');
      await withData(this, false, (data) => writeArchive(folder, data.archive(jid)));
      say(`All that is kept about ${jid} is in ${folder}.`);
    });

  account
    .command('erase')
    .description('Remove an account and all that is kept about it, and say what cannot be erased. The server must run.')
    .argument('<jid>', 'the account, as user@domain')
    .action(async function (this: Command, jid: string) {
      const { withData } = await import('./data.ts');
      const left = await withData(this, true, (data) => data.erase(jid));
      say(`Nothing is stored about ${jid} any more. Not erased:`);
      for (const each of left) say(`- ${each}`);
    });

  account
    .command('move')
    .description('Give an account another address, with its roster, vCard, waiting messages and all else.')
    .argument('<old>', 'the account, as user@domain')
    .argument('<new>', 'its new address')
    .action(async function (this: Command, old: string, next: string) {
      await withAccounts(this, (all) => tellMove(all.move(old, next), old, next, say));
    });

  account
    .command('clients')
    .description('List the clients that have access to an account, the last seen first.')
    .argument('<jid>', 'the account, as user@domain')
    .option('--json', 'one JSON object a line')
    .action(async function (this: Command, jid: string) {
      const { json } = this.opts<{ json?: boolean }>();
      await withAccounts(this, async (all) => {
        for (const client of await all.clients(jid)) say(json ? JSON.stringify(client) : clientLine(client));
      });
    });

  account
    .command('revoke')
    .description('Take the access of clients to an account away: their tokens end, and they are logged out.')
    .argument('<jid>', 'the account, as user@domain')
    .option('--client <id>', 'one client, by the id that "account clients" shows')
    .option('--all', 'all of them')
    .action(async function (this: Command, jid: string) {
      const { client, all: every } = this.opts<{ client?: string; all?: boolean }>();
      if ((client === undefined) === (every === undefined)) throw new Usage('Write either --client ID or --all.');
      await withAccounts(this, (all) => all.revoke(jid, client));
      say(`${every ? 'All clients' : 'The client'} of ${jid} ${every ? 'have' : 'has'} lost access. ${HINT}`);
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
