import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { TestDns } from '../services/dns.ts';
import { DomainCertificates } from '../services/domain-certificates.ts';
import { LossyProxy } from '../support/lossy-proxy.ts';
import { ManagedClient } from '../support/managed-client.ts';
import { until } from '../support/talking.ts';
import { OwnCluster, type OwnNode } from './own-cluster.ts';

const DOMAINS = ['montague.lit', 'capulet.lit'] as const;
const USERS = ['one', 'two', 'three'];

/** Two servers of two nodes each, which reach each other by DNS, and over connections that can be cut. */
async function start() {
  const folder = mkdtempSync(join(tmpdir(), 'parley-federation-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const certificates = DomainCertificates.make(folder);
  const dns = await TestDns.start();
  dns.set('host.example', { addresses: ['127.0.0.1'] });
  const clusters: OwnCluster[] = [];
  const proxies: LossyProxy[] = [];
  for (const domain of DOMAINS) {
    const federation = {
      authorities: certificates.authority,
      dnsServers: [dns.address],
      queue: { seconds: 600 },
      retry: { firstSeconds: 1, maxSeconds: 1 },
    };
    const certificate = certificates.of(domain);
    const cluster = await OwnCluster.start({ domain, certificate, nodes: 2, users: USERS, federation });
    const ways = await Promise.all(cluster.nodes.map(({ s2s }) => LossyProxy.to(s2s)));
    const srv = ways.map(({ port }) => ({ target: 'host.example', port }));
    dns.set(`_xmpp-server._tcp.${domain}`, { srv });
    clusters.push(cluster);
    proxies.push(...ways);
  }
  const clients = clusters.map((cluster) =>
    USERS.map((user) => new ManagedClient(`${user}@${cluster.domain}/managed`, () => cluster.next().c2s)),
  );
  onTestFinished(() => {
    for (const client of clients.flat()) client.stop();
  });
  for (const client of clients.flat()) await client.start();
  return { clusters, proxies, clients };
}

/** Of the nodes that are alive the one that logged this last. */
function last(cluster: OwnCluster, event: string): OwnNode {
  const at = (node: OwnNode) => String(node.logged(event).at(-1)?.time ?? '');
  const alive = cluster.nodes.filter((node) => node.alive);
  return alive.reduce((one, other) => (at(one) < at(other) ? other : one));
}

const reached = (cluster: OwnCluster): OwnNode => last(cluster, 's2s.accepted');
const reaching = (cluster: OwnCluster): OwnNode => last(cluster, 's2s.connected');

test('what people of two clusters say to each other arrives once and in order, whatever breaks', async () => {
  const { clusters, proxies, clients } = await start();
  const [montague, capulet] = clusters as [OwnCluster, OwnCluster];
  const [ours = [], theirs = []] = clients;
  let words = 0;
  const speak = () => {
    const body = String(words++);
    ours.forEach((client, index) => {
      const other = theirs[index] as ManagedClient;
      // presence need not arrive, and is not sent again where there is newer
      client.send(`<presence to='${other.jid}'><status>${body}</status></presence>`);
      client.say(other.jid, body);
      other.say(client.jid, body);
    });
  };
  /** A while in which people talk, at the end of which they are in the middle of it. */
  const talk = async () => {
    for (let word = 0; word < 30; word++) {
      speak();
      if (word % 3 === 0) await new Promise(setImmediate);
    }
    await Promise.race(clients.flat().map((client) => client.changed()));
  };
  const all = [...ours, ...theirs];
  const complete = () =>
    all.every(({ said, acknowledged, heard }) => acknowledged === said.length && heard.length >= words);

  const faults: readonly (() => Promise<void> | void)[] = [
    () => reached(capulet).kill(),
    () => proxies.forEach((proxy) => void proxy.cut()),
    () => reaching(montague).kill(),
    async () => {
      proxies.forEach((proxy) => void proxy.cut());
      await Promise.all([reaching(montague).kill(), reached(capulet).kill()]);
    },
    () => reached(montague).stop(),
  ];
  await talk();
  for (const fault of faults) {
    await talk();
    await fault();
    speak();
    for (const node of clusters.flatMap(({ nodes }) => nodes)) if (!node.alive) await node.start();
  }
  await talk();
  await until(all, complete);
  for (const [index, client] of ours.entries()) {
    const other = theirs[index] as ManagedClient;
    expect(client.heard).toEqual(other.said.map((body) => `${other.jid} ${body}`));
    expect(other.heard).toEqual(client.said.map((body) => `${client.jid} ${body}`));
  }
  const resumed = clusters.flatMap(({ nodes }) => nodes.flatMap((node) => node.logged('s2s.resumed')));
  expect(resumed.length).toBeGreaterThan(0);
});
