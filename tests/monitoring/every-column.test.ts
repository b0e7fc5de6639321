// Every column of the MIB modules, and the page of all nodes, against what the nodes themselves show while they have work to do.
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MANAGER, SnmpManager } from '../services/net-snmp.ts';
import type { ManagedClient } from '../support/managed-client.ts';
import { appearOver } from '../support/network.ts';
import { acknowledged, clientAt } from '../support/talking.ts';
import { type ClusterProcess, startThreeNodes } from '../support/three-nodes.ts';
import { applicationTruths, clusterTruths, nodeTruths, rowTruths, type Truth } from './column-truths.ts';
import { History, type Range, wrong } from './history.ts';
import { Samples } from './samples.ts';

vi.setConfig({ testTimeout: 120_000 }); // starts several processes

const APPLICATIONS = '1.3.6.1.2.1.27.1.1';

/** People of two domains talk, to each other and to whoever is not there, until the test is over. */
async function talk(nodes: readonly ClusterProcess[]): Promise<void> {
  const [first, second, third] = nodes.map(({ port }) => port) as [number, number, number];
  await appearOver(second, 'juliet@localhost/balcony');
  const [romeo, nurse, peter] = (['romeo', 'nurse', 'peter'] as const).map((name, place) =>
    clientAt(`${name}@localhost`, () => [first, third, first][place] as number),
  ) as [ManagedClient, ManagedClient, ManagedClient];
  for (const client of [romeo, nurse, peter]) await client.start();
  let over = false;
  const talking = (async () => {
    for (let i = 0; !over; i++) {
      for (const to of ['juliet@localhost/balcony', 'mercutio@localhost', 'nobody@localhost']) romeo.say(to, `${i}`);
      if (i < 50) romeo.say('ann@named.example', `${i}`);
      nurse.say(peter.jid, `${i}`);
      await Promise.all([acknowledged(romeo), acknowledged(nurse)]);
    }
  })();
  onTestFinished(async () => {
    over = true;
    await talking;
  });
}

describe('every column', () => {
  it('shows what the nodes show to Prometheus, while they work', async () => {
    const config = {
      snmp: { port: 0, metrics: [{ host: '127.0.0.1', port: 0 }], users: [MANAGER], associations: 'all' },
      // one that waits for replicas of its own
      domains: [{ name: 'localhost' }, { name: 'verona.localhost', replicas: 1 }],
      directories: [
        {
          name: 'gone',
          servers: ['ldap://127.0.0.1:1'],
          bind: { dn: 'cn=parley,dc=verona', password: 'of nobody' },
          people: { base: 'ou=people,dc=verona' },
        },
      ],
      // whatever else the machine does
      limits: { process: { heapPercent: 100, eventLoopDelayMilliseconds: 60_000 }, stanzas: { perSecond: 0 } },
      federation: { enabled: true, peers: [{ domain: 'named.example', connectTo: '127.0.0.1:1' }] },
    };
    const accounts = ['romeo', 'juliet', 'nurse', 'peter', 'mercutio'].map((name) => `${name}@localhost`);
    const nodes = await startThreeNodes(accounts, config, { s2s: [], s2sTls: [] });
    await talk(nodes);
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
    const heard = async () => [...(await manager.walk('xmppNodeLastHeard'))].slice(1).map(([, value]) => value);
    let reports = 0;
    for (let before = await heard(); reports < 2; ) {
      const now = await heard();
      if (now.length < 3 || now.some((time, place) => time === before[place])) continue;
      before = now;
      reports++;
    }
    const shown = await manager.walk('1.3.6.1.4.1.32473.1');
    const applications = new Map(
      [...(await manager.walk(APPLICATIONS))].map(([name, value]) => [name.split('.27.1.1.')[1] ?? '', value]),
    );
    const page = await Samples.at((started.metrics as number[])[0] as number);
    over = true;
    await looking;
    await history.look();

    const names = await Promise.all(nodes.map(async ({ node }) => (await node.event('server.started')).node as string));
    const rows = names.map((name) => [...shown].find(([, value]) => value === name)?.[0].split('.')[1] as string);
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
    const { version } = (await import('../../package.json', { with: { type: 'json' } })).default as { version: string };
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
    const named = [...Buffer.from('named.example')].join('.');
    expect(Number.parseInt(shown.get(`xmppPeerStanzasOut.${named}`) ?? '', 10)).toBeGreaterThan(0);
  });
});
