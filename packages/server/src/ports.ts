import type { Keyspace } from '@parley/keyspace/keyspace';
import type { Registry } from '@parley/metrics/registry';
import { administerAccounts } from './admin/account-administration.ts';
import { AdministrationError } from './admin/administration-error.ts';
import { Administrator } from './admin/administrator.ts';
import { agentAnswer } from './admin/agent-answer.ts';
import { type Administration, adminApi } from './admin/api.ts';
import { administerFederation } from './admin/federation-administration.ts';
import { FederationEverywhere } from './admin/federation-everywhere.ts';
import { registerHealth } from './admin/health.ts';
import type { MemberStatus, NodeStatus } from './admin/node-status.ts';
import { ClientAccess } from './auth/clients/client-access.ts';
import type { Changes } from './config/reload.ts';
import { administerData } from './data/administer-data.ts';
import { dataOfNode } from './data-of-node.ts';
import { AccountMoves } from './im/account-moves.ts';
import type { Log } from './log.ts';
import { AgentCheck } from './net/agent-check.ts';
import { HttpServer } from './net/http.ts';
import type { Node } from './node.ts';
import type { NodeCondition } from './node-condition.ts';
import { isQueue } from './session/resumption/resumption-keys.ts';
import { version } from './version.ts';

export interface PortsOptions {
  readonly node: Node;
  readonly condition: NodeCondition;
  /** What the node is called. */
  readonly name: string;
  readonly keyspace: Keyspace;
  readonly registry: Registry;
  readonly log: Log;
  reload(by: string): Promise<Changes>;
}

/** The ports beside those of clients. */
export interface Ports extends AsyncDisposable {
  readonly listeners: readonly { readonly name: string; readonly port: number }[];
}

/** Opens the HTTP ports, for health and metrics, those for agent checks, and the Unix socket, for administration. */
export async function openPorts({
  node,
  condition,
  name,
  keyspace,
  registry,
  log,
  reload,
}: PortsOptions): Promise<Ports> {
  const { config } = node;
  const common = {
    maxBodyBytes: config.http.maxBodyBytes,
    requestTimeoutSeconds: config.http.requestTimeoutSeconds,
    allowedHosts: config.http.allowedHosts,
    log,
    onBodyTooLarge: (address: string | undefined) => {
      registry.metrics.limitsExceeded.with({ limit: 'http-body-bytes' }).add(1);
      log.flood('limit.exceeded', { limit: 'http-body-bytes', address });
    },
  };
  const notReady = () => condition.notReady;
  const snapshot = () => registry.snapshot();
  const moves = node.offers.get(AccountMoves) as AccountMoves;
  const access = node.offers.get(ClientAccess) as ClientAccess;
  await using parts = new AsyncDisposableStack();
  const listeners: { name: string; port: number }[] = [];

  for (const address of config.listen.http) {
    const server = parts.use(new HttpServer({ ...common, permissions: ['public', 'metrics'] }));
    registerHealth(server, { notReady, snapshot });
    listeners.push({ name: 'http', port: await server.listen(address) });
  }

  for (const address of config.listen.agentCheck) {
    const agent = new AgentCheck({
      answer: () => agentAnswer({ draining: node.draining, able: condition.notAble.length === 0, load: node.load }),
      onError: (error) => log.flood('listener.error', { error, listener: 'agentCheck' }),
    });
    parts.use(agent);
    listeners.push({ name: 'agentCheck', port: await agent.listen(address) });
  }

  const accounts = administerAccounts(node.accounts, node.domains, (from, to) => moves.move(from, to), access);
  const data = administerData(dataOfNode(node, keyspace));
  const federation = administerFederation(node.federation, node.domains);
  const self = () => node.cluster?.members[0];
  const everywhere = new FederationEverywhere({ peers: node.federation.peers, self, local: federation });
  const administration = (administrator: Administrator): Administration => {
    const { by } = administrator;
    return {
      accounts: administrator.accounts(accounts),
      federation: administrator.federation(federation, everywhere),
      data: administrator.data(data, node.domains),
      reload: () => reload(by),
      drain: () =>
        administrator.refusing({ act: 'drain' }, () => {
          if (!node.drain()) throw new AdministrationError('refused', NO_OTHER_NODE);
          log.info('node.draining', { sessions: node.sessions.size, by });
        }),
      async cancelDrain() {
        await node.cancelDrain();
        log.info('node.accepting', { sessions: node.sessions.size, by });
      },
    };
  };
  const local = parts.use(new HttpServer({ ...common, permissions: ['public', 'metrics', 'administration'] }));
  registerHealth(local, { notReady, snapshot });
  adminApi(local.routes, {
    status: (): NodeStatus => ({
      version,
      pid: process.pid,
      uptimeSeconds: node.uptimeSeconds,
      domains: node.domains,
      listeners: [...node.ports, ...listeners],
      sessions: node.sessions.size,
      accountsOnline: node.sessions.accounts,
      elsewhere: node.sessions.elsewhere,
      cluster: clusterStatus(node),
      keyspace: { kind: config.keyspace.url.replace(/:.*/s, ''), state: keyspace.state },
      notReady: notReady(),
      drain: node.drainState,
      memoryBytes: process.memoryUsage.rss(),
    }),
    report: () => condition.report(registry, name),
    as: (name) => administration(new Administrator(log, 'socket', name)),
  });
  await local.listenOnSocket(config.admin.socket);

  const open = parts.move();
  return { listeners, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

const NO_OTHER_NODE = 'There is no other node that could take the sessions of this one.';

/** The nodes, this one first; empty where it is alone. */
function clusterStatus({ cluster, sessions }: Node): MemberStatus[] {
  const counts = new Map<string, number>();
  for (const { node, account } of sessions.allRemote) {
    if (!isQueue(account)) counts.set(node, (counts.get(node) ?? 0) + 1);
  }
  return (cluster?.members ?? []).map(({ id, name, version, startedAt }, index) => {
    const here = index === 0;
    const since = new Date(startedAt).toISOString();
    return { id, name, version, since, here, sessions: here ? sessions.size : (counts.get(id) ?? 0) };
  });
}
