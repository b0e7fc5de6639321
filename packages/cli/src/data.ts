import type { DataAdministration } from '@parley/server/admin/data-administration';
import { embeddedFolder } from '@parley/server/certificates';
import { administerData } from '@parley/server/data/administer-data';
import { partsOf } from '@parley/server/data/parts-of';
import { modules } from '@parley/server/modules';
import type { Command } from 'commander';
import { nodeSocket, readConfiguration } from './configuration.ts';
import { Failed } from './exit.ts';
import { NodeClient } from './node-client.ts';
import { someNodeRuns } from './some-node-runs.ts';
import { withStoppedStore } from './stopped-store.ts';

/** Does something with all that is kept of accounts: through the node where one runs, else on the keyspace itself. */
export async function withData<T>(
  command: Command,
  changes: boolean,
  act: (data: DataAdministration) => Promise<T>,
): Promise<T> {
  const node = await NodeClient.connect(nodeSocket(command));
  if (node !== undefined) return act(node.data);
  const config = readConfiguration(command);
  return withStoppedStore(config, async ({ keyspace, accounts, domains, administrator, keeps }) => {
    if (changes && (await someNodeRuns(keyspace))) {
      throw new Failed(
        'Nodes run on this keyspace, and have in memory what would change: do this where one of them runs.',
      );
    }
    const folder = embeddedFolder(config);
    const host = {
      folder,
      keyspace,
      accounts,
      domains,
      keeps,
      parts: partsOf(modules),
      modules,
      tells: false,
      sessions: () => [],
      config: () => config,
    };
    const data = administerData({ ...host, changed: async () => {} });
    return act(administrator.data(data, domains));
  });
}

/** What can be read of an account, by the start tag of its element. */
export const readable = (): ((element: Parameters<ReturnType<typeof partsOf>[number]['reads']>[0]) => boolean) => {
  const parts = partsOf(modules);
  return (element) => parts.some((part) => part.reads(element));
};
