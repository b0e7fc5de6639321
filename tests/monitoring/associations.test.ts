// Many associations (RFC 2788), over the agent's real socket.
import type { Association } from '@parley/metrics/node-report';
import { ClusterTracker } from '@parley/snmp-agent/cluster/cluster-tracker';
import { networkServicesCells } from '@parley/snmp-agent/mib/network-services';
import { Agent } from '@parley/snmp-agent/protocol/agent';
import { View } from '@parley/snmp-agent/protocol/view';
import { TestNode } from '@parley/snmp-agent/testing-reports';
import { expect, it, onTestFinished } from 'vitest';
import { MANAGER, SnmpManager } from '../services/net-snmp.ts';

const ASSOCIATIONS = 10_000;
const ASSOC_TABLE = '1.3.6.1.2.1.27.2';
const WITHIN_MS = 3000;
/** The machine may do other things: it is tried again until it does nothing else for that long. */
const ATTEMPTS = 15;

/** An agent that shows a node with these associations. */
async function agentOf(associations: readonly Association[]): Promise<Agent> {
  const node = new TestNode('one');
  node.associations = associations;
  const tracker = new ClusterTracker({ name: 'all', downAfterMs: 1e6, restartMs: 1, forgetMs: 1 }, 0);
  const view = new View();
  const about = { directoryName: '', description: '', url: '' };
  view.replace([...networkServicesCells(tracker.update([node.report(5000)], 5000), about)]);
  const { name, password, privacyPassword } = MANAGER;
  const agent = await Agent.start({
    ...{ address: '127.0.0.1', port: 0, view, engineId: Buffer.from('80007ed905010203', 'hex'), engineBoots: 1 },
    users: [
      {
        name,
        authentication: { protocol: 'SHA-256', password },
        privacy: { protocol: 'AES', password: privacyPassword },
        subtrees: [[1]],
      },
    ],
    ...{ communities: [], perSecond: 1_000_000, onRefused() {} },
    onFault: (error) => expect.fail(String(error)),
  });
  onTestFinished(() => agent[Symbol.asyncDispose]());
  return agent;
}

it('walks 10,000 associations in less than three seconds', async () => {
  const agent = await agentOf(
    Array.from({ length: ASSOCIATIONS }, (_, i) => ({
      kind: 'peer-in',
      remote: `${i}.example`,
      port: 5269,
      since: 1000,
    })),
  );
  const manager = new SnmpManager(agent.port);
  onTestFinished(() => manager[Symbol.dispose]());
  const times: number[] = [];
  for (let attempt = 0; attempt < ATTEMPTS && !times.some((time) => time < WITHIN_MS); attempt++) {
    const began = performance.now();
    const shown = await manager.walk(ASSOC_TABLE, 'snmpbulkwalk', '-Cr100');
    times.push(performance.now() - began);
    const values = [...shown.values()];
    expect(values.length).toBe(4 * ASSOCIATIONS);
    expect([values[0], values[ASSOCIATIONS - 1]]).toEqual(['0.example', `${ASSOCIATIONS - 1}.example`]);
    expect(values[ASSOCIATIONS]).toMatch(/2\.1\.27\.4\.5269$|mib-2\.27\.4\.5269$/); // applTCPProtoID.5269
    expect(values.slice(2 * ASSOCIATIONS, 3 * ASSOCIATIONS).every((type) => type === '3')).toBe(true); // peerinitiator
  }
  expect(Math.min(...times)).toBeLessThan(WITHIN_MS);
});
