import { openKeyspace } from '@parley/keyspace/open';
import { internalAccounts } from '@parley/server/accounts';
import { type AccountAdministration, administerAccounts } from '@parley/server/admin/account-administration';
import { sourcesOf } from '@parley/server/auth/ldap/directory-settings';
import { clusterSecret, servedDomains } from '@parley/server/cluster-secret';
import { INTERNAL } from '@parley/server/config/directory';
import { domainReplicas, keyspaceUrl } from '@parley/server/keyspace-url';
import { modules } from '@parley/server/modules';
import type { Command } from 'commander';
import { moveAccounts } from './account-moves.ts';
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
    return await act(administerAccounts(accounts, domains, moveAccounts(keyspace, accounts, domains), keeps));
  } finally {
    await keyspace.close();
  }
}
