import { type AccountAdministration, administerAccounts } from '@parley/server/admin/account-administration';
import type { Command } from 'commander';
import { moveAccounts } from './account-moves.ts';
import { clientAccess } from './client-access.ts';
import { nodeSocket, readConfiguration } from './configuration.ts';
import { NodeClient } from './node-client.ts';
import { withStoppedStore } from './stopped-store.ts';

/** Does something with the accounts: through the node where one runs, else on the keyspace itself. */
export async function withAccounts<T>(
  command: Command,
  act: (accounts: AccountAdministration) => Promise<T>,
): Promise<T> {
  const node = await NodeClient.connect(nodeSocket(command));
  if (node !== undefined) return act(node.accounts);
  const config = readConfiguration(command);
  return withStoppedStore(config, ({ keyspace, secret, accounts, domains, log, administrator, keeps }) => {
    const move = moveAccounts(keyspace, accounts, domains, log);
    const all = administerAccounts(accounts, domains, move, clientAccess(keyspace, config, secret), keeps);
    return act(administrator.accounts(all));
  });
}
