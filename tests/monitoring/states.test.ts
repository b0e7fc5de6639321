// What becomes of nodes, as managers see it: in applOperStatus, and by a trap and an inform each.
import { connect } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { freeUdpPort } from '../services/free-udp-port.ts';
import { MANAGER, SnmpManager } from '../services/net-snmp.ts';
import { TrapReceiver } from '../services/snmptrapd.ts';
import { type ClusterProcess, startThreeNodes } from '../support/three-nodes.ts';

const WORD = 'a-word-of-the-tests-alone';
/** applOperStatus (RFC 2788). */
const OPERATIONAL_STATUS = '1.3.6.1.2.1.27.1.1.6';
const [UP, DOWN, CONGESTED, QUIESCING] = [1, 2, 4, 6];
/** xmppNodeDown, xmppNodeUp and xmppNodeStateChange, by their numbers. */
const [NODE_DOWN, NODE_STATE] = [1, 3];

/** Half of the descriptors of a process that may have few are kept for other things than connections. */
const MOST_CONNECTIONS = 100;
const FEW_DESCRIPTORS = ['/bin/sh', '-c', `ulimit -n ${2 * MOST_CONNECTIONS}; exec "$0" "$@"`];

const nameOf = async ({ node }: ClusterProcess) => String((await node.event('server.started')).node);

it('tells of a node that is congested, drained or killed', async () => {
  const traps = await freeUdpPort();
  await using receiver = await TrapReceiver.start(traps, WORD);
  const target = { host: '127.0.0.1', port: traps };
  const process = { heapPercent: 100, eventLoopDelayMilliseconds: 60_000, reservedDescriptors: MOST_CONNECTIONS };
  const config = {
    snmp: {
      port: 0,
      users: [MANAGER],
      downSeconds: 8,
      targets: [
        { ...target, user: MANAGER.name, inform: true },
        { ...target, community: WORD },
      ],
    },
    limits: { process, connections: { trustedNetworks: ['127.0.0.0/8'], unauthenticatedPercent: 100 } },
    stream: { authenticateTimeoutSeconds: 300 },
  };
  const nodes = (await startThreeNodes(['romeo@localhost'], config)) as [
    ClusterProcess,
    ClusterProcess,
    ClusterProcess,
  ];
  const [before, second, third] = nodes;
  await before.node.stop();
  const first = { ...before, node: await before.installation.start({ under: FEW_DESCRIPTORS }) };
  const agent = await first.installation.snmpAgent();
  const mib = (await first.installation.parley(['mib'])).stdout;
  const manager = new SnmpManager(Number((await agent.event('snmp.started')).port), mib);
  onTestFinished(() => manager[Symbol.dispose]());

  const rows = await vi.waitFor(async () => {
    const names = await manager.walk('xmppNodeName');
    // one has been started twice, and is there under its former name, too
    expect([...names.values()]).toEqual(expect.arrayContaining(await Promise.all([first, second, third].map(nameOf))));
    return new Map([...names].map(([object, name]) => [name, object.split('.')[1] as string]));
  });
  const rowOf = async (node: ClusterProcess) => rows.get(await nameOf(node)) as string;

  /** Resolves when applOperStatus of a node is this, and both a trap and an inform have told of it. */
  const seen = async (node: ClusterProcess, status: number, notification: number) => {
    const row = await rowOf(node);
    await vi.waitFor(
      async () => {
        const shown = [...(await manager.walk(OPERATIONAL_STATUS))].find(([name]) => name.endsWith(`.${row}`));
        expect(Number(shown?.[1])).toBe(status);
      },
      { interval: 200 },
    );
    const words = `32473\\.1\\.0\\.${notification}\\b.*\\.32473\\.1\\.1\\.2\\.1\\.3\\.${row} = INTEGER: ${status}\\b`;
    const [trap, inform] = [
      await receiver.line(new RegExp(`^TRAP2, SNMP v2c.*${words}`)),
      await receiver.line(new RegExp(`^INFORM, SNMP v3.*${words}`)),
    ];
    expect([trap, inform].map((line) => line.includes('.1.3.6.1.6.3.1.1.4.1.0'))).toEqual([true, true]); // snmpTrapOID
  };

  // full: of the descriptors that it may have, the rest is kept for other things
  const connections = Array.from({ length: MOST_CONNECTIONS }, () => connect(first.port, '127.0.0.1'));
  for (const connection of connections) connection.on('error', () => {}); // it may be reset
  onTestFinished(() => void connections.map((connection) => connection.destroy()));
  await seen(first, CONGESTED, NODE_STATE);
  for (const connection of connections) connection.destroy();
  await seen(first, UP, NODE_STATE);

  expect((await second.installation.parley(['drain'])).code).toBe(0);
  await seen(second, QUIESCING, NODE_STATE);

  await third.node.kill();
  await seen(third, DOWN, NODE_DOWN);
  // the cluster is in the best state of its nodes
  await vi.waitFor(async () => {
    const all = [...(await manager.walk(OPERATIONAL_STATUS)).values()].map(Number);
    expect(all[0]).toBe(UP);
    expect(all.slice(1)).toEqual(expect.arrayContaining([UP, DOWN, QUIESCING]));
  });
  expect(agent.log.some(({ event }) => event === 'snmp.untold')).toBe(false);
});
