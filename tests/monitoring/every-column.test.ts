// Every column of the MIB modules, and the page of all nodes, against what the nodes themselves show while they have work to do.
import { describe, expect, it, onTestFinished } from 'vitest';
import { SnmpManager } from '../services/net-snmp.ts';
import type { ClusterProcess } from '../support/three-nodes.ts';
import { FORGED, PEER, REFUSALS, startBusyCluster } from './busy-cluster.ts';
import { applicationTruths, clusterTruths, nodeTruths, rowTruths, type Truth } from './column-truths.ts';
import { History, type Range, reported, wrong } from './history.ts';
import { NETWORK_SERVICES, wrongApplications, wrongAssociations } from './network-services-truths.ts';
import { Samples } from './samples.ts';

describe('every column', () => {
  it('shows what the nodes show to Prometheus, while they work', async () => {
    const nodes = await startBusyCluster();
    const [{ installation }] = nodes as [ClusterProcess];
    const agent = await installation.snmpAgent();
    const started = await agent.event('snmp.started');
    const mib = (await installation.parley(['mib'])).stdout;
    const manager = new SnmpManager(Number(started.port), mib);
    onTestFinished(() => manager[Symbol.dispose]());

    // what is shown was reported after the first look
    const history = new History(nodes);
    let over = false;
    const looking = (async () => {
      while (!over) await history.look();
    })();
    const heard = async () => {
      const times = await manager.walk('xmppNodeLastHeard', 'snmpbulkwalk', '-Ot');
      return new Map([...times].map(([name, value]) => [name.split('.')[1] as string, Number(value)]));
    };
    let before = new Map<string, number>();
    await reported(async () => {
      before = await heard();
      return new Map([...before].filter(([row]) => row !== '1')); // that of the cluster
    }, 3);
    const table = async (number: number) => {
      const cells = await manager.walk(`${NETWORK_SERVICES}.${number}`, 'snmpbulkwalk', '-Otn');
      return new Map([...cells].map(([name, value]) => [name.split(`.27.${number}.1.`)[1] ?? '', value]));
    };
    const [applications, associations] = [await table(1), await table(2)];
    const shown = await manager.walk('1.3.6.1.4.1.32473.1');
    const after = await heard();
    const page = await Samples.at((started.metrics as number[])[0] as number);
    over = true;
    await looking;
    await history.look();

    const names = await Promise.all(nodes.map(async ({ node }) => (await node.event('server.started')).node as string));
    const rowOf = (name: string) => [...shown].find(([, value]) => value === name)?.[0].split('.')[1] as string;
    const rows = names.map(rowOf);
    expect(new Set(rows)).toEqual(new Set(['2', '3', '4']));
    const faults: string[] = [];
    const checked = new Set<string>();
    const check = (object: string, value: string | undefined, range: Range) => {
      checked.add(object.split('.')[0] as string);
      faults.push(...wrong(object, value, range));
    };
    const checkRows = (column: string, rest: string, truth: Truth, of = shown) => {
      for (const [place, row] of rows.entries()) {
        check(`${column}.${row}${rest}`, of.get(`${column}.${row}${rest}`), history.ofNode(place, truth));
      }
      check(`${column}.1${rest}`, of.get(`${column}.1${rest}`), history.ofAll(truth));
    };
    for (const [column, truth] of Object.entries(nodeTruths)) checkRows(column, '', truth);
    const [some] = history.seen[0] as [Samples];
    for (const [column, index, truth] of rowTruths(some)) checkRows(column, `.${index}`, truth);
    for (const [object, truth] of clusterTruths()) check(object, shown.get(object), history.ofAll(truth));
    for (const [column, truth] of Object.entries(applicationTruths)) {
      checkRows(column, '', truth, applications);
    }
    const { version } = (await import('../../package.json', { with: { type: 'json' } })).default as { version: string };
    const byRow = names.toSorted((one, other) => rowOf(one).localeCompare(rowOf(other)));
    const looked = { applications, associations, heard: [before, after] as const, history, version };
    // of each row its own
    const inOrder = { ...looked, names: byRow, history: history.inOrder(byRow.map((name) => names.indexOf(name))) };
    faults.push(...wrongApplications(inOrder), ...wrongAssociations(inOrder));
    const columnsOf = (cells: Map<string, string>) => [
      ...new Set([...cells.keys()].map((key) => Number.parseInt(key, 10))),
    ];
    expect(columnsOf(applications)).toEqual(Array.from({ length: 16 }, (_, at) => at + 2));
    expect(columnsOf(associations)).toEqual([2, 3, 4, 5]);
    // the page of all nodes, by the same truths
    for (const [name, truth] of [...Object.entries(nodeTruths), ...clusterTruths()]) {
      if (truth.together !== 'sum') continue;
      const value = truth.value(page);
      faults.push(...wrong(`the page, as ${name},`, String(Math.round(value)), history.ofAll(truth)));
    }
    expect(faults).toEqual([]);

    // what is no number that nodes show
    expect([shown.get('xmppClusterNodesUp.0'), shown.get('xmppClusterNodesTotal.0')]).toEqual(['3 nodes', '3 nodes']);
    expect(shown.get('xmppClusterName.0')).toBe('localhost');
    for (const row of ['1', ...rows]) {
      expect([shown.get(`xmppNodeState.${row}`), shown.get(`xmppNodeVersion.${row}`)]).toEqual(['1', version]);
    }
    expect(shown.get('xmppNodeName.1')).toBe('localhost');
    for (const name of ['ClusterName', 'ClusterNodesUp', 'ClusterNodesTotal', 'ClusterSnapshotTime'])
      checked.add(`xmpp${name}`);
    for (const name of ['NodeName', 'NodeState', 'NodeLastHeard', 'NodeVersion']) checked.add(`xmpp${name}`);
    const readable = [...mib.matchAll(/^(\w+) OBJECT-TYPE(?:(?!OBJECT-TYPE)[\s\S])*?MAX-ACCESS +(\S+)/gm)];
    const objects = readable.filter(([, , access]) => access === 'read-only').map(([, name]) => name as string);
    expect(objects.filter((name) => !checked.has(name))).toEqual([]);
    // the truth is not that nothing happened
    for (const column of ['xmppNodeDeliveriesElsewhere', 'xmppNodeJournalDelivered', 'xmppNodeOfflineStored']) {
      expect(Number.parseInt(shown.get(`${column}.1`) ?? '', 10), column).toBeGreaterThan(0);
    }
    const [peer, named] = [PEER, FORGED].map((name) => [...Buffer.from(name)].join('.'));
    for (const object of [
      ...['StreamsIn', 'StreamsOut', 'StanzasIn', 'StanzasOut', 'Proofs'].map((column) => `xmppPeer${column}.${peer}`),
      ...['Out', 'Waiting'].map((column) => `xmppPeerStanzas${column}.${named}`),
      `xmppPeerFailures.${named}`,
      ...[1, 2, 3, 4, 5, 6].map((direction) => `xmppStanzas.1.1.${direction}`),
      ...['ComponentStreams', 'PeerStreamsIn', 'PeerStreamsOut'].map((column) => `xmppNode${column}.1`),
    ]) {
      expect(Number.parseInt(shown.get(object) ?? '', 10), object).toBeGreaterThan(0);
    }
    // as often as somebody was told that he is not believed
    expect(shown.get(`xmppPeerRefusals.${named}`)).toBe(`${REFUSALS} proofs`);
    expect(shown.get(`xmppPeerRefusals.${peer}`)).toBe('0 proofs');
    for (const column of [8, 9, 10, 11, 14, 15])
      expect(Number(applications.get(`${column}.1`)), `${column}`).toBeGreaterThan(0);
  });
});
