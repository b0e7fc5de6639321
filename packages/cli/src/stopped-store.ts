import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import { internalAccounts } from '@parley/server/accounts';
import type { Administrator } from '@parley/server/admin/administrator';
import type { InternalAuthenticator } from '@parley/server/auth/internal';
import { sourcesOf } from '@parley/server/auth/ldap/directory-settings';
import { clusterSecret, servedDomains } from '@parley/server/cluster-secret';
import { INTERNAL } from '@parley/server/config/directory';
import type { Configuration } from '@parley/server/config/schema';
import { domainReplicas, keyspaceUrl } from '@parley/server/keyspace-url';
import type { Log } from '@parley/server/log';
import { modules } from '@parley/server/modules';
import { audited } from './audited.ts';

/** The data, where no node of this configuration runs: an embedded keyspace is locked against one that starts meanwhile. */
export interface StoppedStore {
  readonly keyspace: Keyspace;
  /** What nodes derive from their shared secret (32 bytes). */
  secret(purpose: string): Buffer;
  readonly accounts: InternalAuthenticator;
  readonly domains: readonly string[];
  readonly log: Log;
  readonly administrator: Administrator;
  /** Whether the accounts of a domain can be looked at without a node. */
  keeps(domain: string): boolean;
}

export function withStoppedStore<T>(config: Configuration, act: (store: StoppedStore) => Promise<T>): Promise<T> {
  return audited(config, async (log, administrator) => {
    const { durability, replicas } = config.keyspace;
    const { keyspace } = await openKeyspace(keyspaceUrl(config), {
      durability,
      replicas,
      domainReplicas: domainReplicas(config),
    });
    try {
      const secret = await clusterSecret(config, keyspace);
      const accounts = internalAccounts({ keyspace, modules, secret, config: () => config });
      const domains = servedDomains(config);
      const keeps = (domain: string) => sourcesOf(domain, config).includes(INTERNAL);
      return await act({ keyspace, secret, accounts, domains, log, administrator, keeps });
    } finally {
      await keyspace.close();
    }
  });
}
