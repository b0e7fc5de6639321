// Nodes that were lost before anybody watched them.
import { openKeyspace } from '@parley/keyspace/open';
import type { NodeReport } from '@parley/metrics/node-report';
import { Registry } from '@parley/metrics/registry';
import { nodeReportKeys, readNodeReports } from '@parley/server/node-reporting';
import { expect, it, onTestFinished } from 'vitest';
import { MANAGER, SnmpManager } from '../services/net-snmp.ts';
import { startRedis } from '../services/redis.ts';
import { Installation } from '../support/process.ts';

const HOUR_MS = 3_600_000;
/** applOperStatus (RFC 2788), and its value for what is down. */
const [OPERATIONAL_STATUS, DOWN] = ['1.3.6.1.2.1.27.1.1.6', 2];

it('have a row for as long as the configuration says, though other nodes have begun since', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const { keyspace } = await openKeyspace(redis.url);
  onTestFinished(() => keyspace.close());
  const told = (node: string, hours: number): [string, string] => {
    const at = Date.now() - hours * HOUR_MS;
    const about = { software: '1.2.3', startedAt: at - HOUR_MS, state: 'up', reasons: [], associations: [] } as const;
    const report: NodeReport = { ...new Registry().snapshot(node, at), ...about };
    return [node, JSON.stringify(report)];
  };
  await keyspace.hset(nodeReportKeys.key(), [told('lost', 2), told('lost long ago', 4)]);

  const installation = new Installation({
    keyspace: { url: redis.url },
    cluster: { name: 'begun', secret: 'a secret that only the tests know of' },
    snmp: { port: 0, users: [MANAGER], forgetSeconds: 3 * 3600 },
  });
  await installation.start();
  await expect
    .poll(async () => (await readNodeReports(keyspace)).map(({ node }) => node).sort())
    .toEqual(['begun', 'lost']);
  const agent = await installation.snmpAgent();
  const mib = (await installation.parley(['mib'])).stdout;
  const manager = new SnmpManager(Number((await agent.event('snmp.started')).port), mib);
  onTestFinished(() => manager[Symbol.dispose]());
  const names = [...(await manager.walk('xmppNodeName'))];
  const rowOf = (name: string) =>
    names
      .find(([, each]) => each === name)?.[0]
      .split('.')
      .at(-1);
  const statuses = [...(await manager.walk(OPERATIONAL_STATUS))];
  const statusOf = (name: string) => Number(statuses.find(([each]) => each.endsWith(`.${rowOf(name)}`))?.[1]);
  expect([rowOf('lost long ago'), statusOf('lost'), statusOf('begun')]).toEqual([undefined, DOWN, 1]);
});
