// Prometheus, SNMP and OpenTelemetry show the same numbers of the same cluster.
import { expect, it, onTestFinished } from 'vitest';
import { MANAGER, SnmpManager } from '../services/net-snmp.ts';
import { OtlpCollector } from '../services/otlp-collector.ts';
import { plain } from '../support/login.ts';
import { appearOver, encrypted } from '../support/network.ts';
import { type ClusterProcess, startThreeNodes } from '../support/three-nodes.ts';
import { asPrometheus } from './as-prometheus.ts';
import { applicationTruths, clusterTruths, nodeTruths, rowTruths, type Truth } from './column-truths.ts';
import { History, type Range, reported, wrong } from './history.ts';
import { Samples } from './samples.ts';

const APPLICATIONS = '1.3.6.1.2.1.27.1.1';
const LOCALHOST = [...Buffer.from('localhost')].join('.');
const MESSAGES = 48;
/** Gauges that never rest, which are only near each other: the views are told them at moments of their own. */
const RESTLESS = ['EventLoopDelay', 'Memory', 'Heap', 'Descriptors'].map((name) => `xmppNode${name}.1`);

/** Messages between the nodes, for somebody who is away, and for nobody; somebody cannot log in. All have arrived. */
async function talk(nodes: readonly ClusterProcess[]): Promise<void> {
  const names = ['romeo', 'juliet', 'nurse'];
  const clients = await Promise.all(
    names.map((name, at) => appearOver(nodes[at]?.port ?? 0, `${name}@localhost/here`)),
  );
  for (let i = 0; i < MESSAGES; i++) {
    for (const client of clients) {
      for (const to of [...names, 'mercutio', 'nobody']) {
        client.send(`<message type='chat' to='${to}@localhost' id='${i}'><body>${i}</body></message>`);
      }
    }
  }
  for (const { port } of nodes) {
    const stranger = await encrypted(port);
    await plain(stranger, 'romeo', 'wrong');
    stranger.break();
  }
  for (const client of [...clients, ...clients]) await client.sync();
}

/** What each node has told the collector since now, by its name. */
async function told(collector: OtlpCollector, names: readonly string[]): Promise<Samples[]> {
  // the first to arrive may have been on its way already
  for (let exports = 0; exports < 2; exports++) {
    collector.metrics.clear();
    await collector.find(() => (collector.metrics.size === names.length ? true : undefined));
  }
  return names.map((name) => {
    const series = asPrometheus(collector.metrics.get(name) ?? []);
    return new Samples([...series].map(([key, value]) => `${key} ${value}`).join('\n'));
  });
}

it('Prometheus, SNMP and OpenTelemetry agree', async () => {
  const collector = await OtlpCollector.start();
  const nodes = await startThreeNodes(
    ['romeo', 'juliet', 'nurse', 'mercutio'].map((name) => `${name}@localhost`),
    {
      snmp: { port: 0, users: [MANAGER] },
      opentelemetry: { endpoint: collector.endpoint, metrics: { intervalSeconds: 1 } },
    },
  );
  const names = await Promise.all(nodes.map(async ({ node }) => String((await node.event('server.started')).node)));
  const [{ installation }] = nodes as [ClusterProcess];
  const agent = await installation.snmpAgent();
  const manager = new SnmpManager(
    Number((await agent.event('snmp.started')).port),
    (await installation.parley(['mib'])).stdout,
  );
  onTestFinished(() => manager[Symbol.dispose]());
  await talk(nodes);

  // what rests is the same in all that is seen from here on; the rest, such as memory, is seen in between
  const history = new History(nodes);
  await reported(async () => {
    await history.look();
    return new Map([...(await manager.walk('xmppNodeLastHeard'))].slice(1)); // without the cluster
  }, 3);
  const [shown, applications, collected] = await Promise.all([
    manager.walk('1.3.6.1.4.1.32473.1'),
    manager.walk(APPLICATIONS),
    told(collector, names),
  ]);
  await history.look();

  const truths: (readonly [object: string, truth: Truth])[] = [];
  for (const [column, truth] of [...Object.entries(nodeTruths), ...Object.entries(applicationTruths)]) {
    truths.push([`${column}.1`, truth]);
  }
  for (const [column, index, truth] of rowTruths(history.seen[0]?.[0] as Samples)) {
    truths.push([`${column}.1.${index}`, truth]);
  }
  const numbered = [...applications].map(([name, value]) => [name.split('.27.1.1.')[1] ?? '', value] as const);
  const values = new Map([...shown, ...numbered]);
  // of domains, directories and other servers those that there are
  truths.push(...[...clusterTruths()].filter(([object]) => values.has(object)));

  const faults: string[] = [];
  const resting = new Set<string>();
  for (const [object, truth] of truths) {
    if (truth.momentary) continue; // nobody has seen the same moment
    const apart = RESTLESS.includes(object) ? 4 : 1;
    const wide = ([least, most]: Range): Range => [least / apart, most * apart];
    const all = wide(history.ofAll(truth));
    faults.push(...wrong(`${object} by SNMP`, values.get(object), all));
    for (const [place, samples] of collected.entries()) {
      const [least, most] = wide(history.ofNode(place, truth));
      const value = truth.value(samples);
      if (value < least || value > most)
        faults.push(`${object} by OTLP of node ${place} is ${value}, not ${least} to ${most}`);
    }
    if (all[0] === all[1] && all[0] > 0) resting.add(object);
  }
  expect(faults).toEqual([]);
  // they do not agree on nothing
  expect(values.get('xmppStanzas.1.1.1')).toBe(`${MESSAGES * 15} stanzas`);
  expect(resting).toContain('xmppNodeOctetsIn.1');
  for (const object of ['Sessions', 'DeliveriesElsewhere', 'OfflineStored', 'LoginsSucceeded']) {
    expect(resting).toContain(`xmppNode${object}.1`);
  }
  for (const object of ['14.1', 'xmppClusterSessions.0', `xmppDomainStanzasIn.${LOCALHOST}`]) {
    expect(resting).toContain(object);
  }
});
