import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFile, makeFolder } from '@parley/keyspace/embedded/owned-files';
import { declareKeys } from '@parley/keyspace/key-declaration';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openKeyspace } from '@parley/keyspace/open';
import type { NodeReport } from '@parley/metrics/node-report';
import { embeddedFolder } from '@parley/server/certificates';
import type { Configuration } from '@parley/server/config/schema';
import { keyspaceUrl } from '@parley/server/keyspace-url';
import { readNodeReports } from '@parley/server/node-reporting';
import type { AgentStore } from '@parley/snmp-agent/engine';
import { NodeClient } from './node-client.ts';

export const snmpAgentKeys = declareKeys({
  name: 'snmp-agents',
  scope: 'global',
  parts: ['name'],
  type: 'string',
  content:
    'what an SNMP agent keeps from one start to the next: its engine and how often it began, the numbers of nodes, and what the cluster has counted, as JSON',
  bound: 'one for each `snmp.agent`',
  ttl: 'none',
});

/** Where an SNMP agent hears of nodes, and keeps what is its own. */
export interface SnmpSource extends AsyncDisposable {
  read(): Promise<readonly NodeReport[]>;
  readonly store: AgentStore;
}

/** All nodes, where they share a Redis; else the one that runs here. */
export async function snmpSource(config: Configuration): Promise<SnmpSource> {
  if (/^redis/.test(config.keyspace.url)) {
    const { keyspace } = await openKeyspace(keyspaceUrl(config), {
      node: 'snmp-agent',
      deadline: config.keyspace.commandTimeoutSeconds * 1000,
      connectDeadline: config.keyspace.connectTimeoutSeconds * 1000,
    });
    return {
      read: () => readNodeReports(keyspace),
      store: inKeyspace(keyspace, config.snmp.agent),
      [Symbol.asyncDispose]: () => keyspace.close(),
    };
  }
  const { socket } = config.admin;
  const folder = embeddedFolder(config) ?? dirname(socket);
  return {
    async read() {
      const node = await NodeClient.connect(socket);
      return node === undefined ? [] : [await node.report()];
    },
    store: inFile(join(folder, 'snmp-agent.json')),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function inKeyspace(keyspace: Keyspace, name: string): AgentStore {
  const key = snmpAgentKeys.key(name);
  return {
    async load() {
      const text = await keyspace.get(key);
      return text === undefined ? undefined : String(text);
    },
    async save(text) {
      await keyspace.set(key, text);
    },
  };
}

function inFile(path: string): AgentStore {
  return {
    async load() {
      try {
        return readFileSync(path, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async save(text) {
      makeFolder(dirname(path));
      rmSync(`${path}.new`, { force: true });
      makeFile(`${path}.new`); // where root tries it out, the service still has to read it
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path); // never half of it
    },
  };
}
