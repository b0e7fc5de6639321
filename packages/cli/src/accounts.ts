import { openKeyspace } from '@parley/keyspace/open';
import { internalAccounts } from '@parley/server/accounts';
import { type AccountAdministration, administerAccounts } from '@parley/server/admin/account-administration';
import { Administrator } from '@parley/server/admin/administrator';
import { openAudit } from '@parley/server/audit/open-audit';
import { sourcesOf } from '@parley/server/auth/ldap/directory-settings';
import { clusterSecret, servedDomains } from '@parley/server/cluster-secret';
import { INTERNAL } from '@parley/server/config/directory';
import { domainReplicas, keyspaceUrl } from '@parley/server/keyspace-url';
import { Log } from '@parley/server/log';
import { modules } from '@parley/server/modules';
import type { Command } from 'commander';
import { moveAccounts } from './account-moves.ts';
import { administratorName } from './administrator-name.ts';
import { readConfiguration } from './configuration.ts';
import { NodeClient } from './node-client.ts';

/**
 * Does something with the accounts: through the node where one runs, else on the keyspace itself, which an embedded
 * one locks against a node that starts meanwhile.
 */
export async function withAccounts<T>(
  command: Command,
  act: (accounts: AccountAdministration) => Promise<T>,
): Promise<T> {
  const config = readConfiguration(command);
  const node = await NodeClient.connect(config.admin.socket);
  if (node !== undefined) return act(node.accounts);
  const audit = openAudit(config);
  const log = Log.create({ level: 'silent', audit }); // what it says goes to the terminal
  const { durability, replicas } = config.keyspace;
  const { keyspace } = await openKeyspace(keyspaceUrl(config), {
    durability,
    replicas,
    domainReplicas: domainReplicas(config),
  });
  try {
    const shared = await clusterSecret(config, keyspace);
    const accounts = internalAccounts({ keyspace, modules, secret: shared, config: () => config });
    const domains = servedDomains(config);
    const keeps = (domain: string) => sourcesOf(domain, config).includes(INTERNAL);
    const all = administerAccounts(accounts, domains, moveAccounts(keyspace, accounts, domains, log), keeps);
    return await act(new Administrator(log, 'command', administratorName()).accounts(all));
  } finally {
    await keyspace.close();
    await audit?.close();
  }
}
