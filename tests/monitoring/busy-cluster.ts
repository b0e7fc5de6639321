import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { HostileServer } from '../federation/hostile-server.ts';
import { OwnCluster } from '../federation/own-cluster.ts';
import { TestDns } from '../services/dns.ts';
import { DomainCertificates } from '../services/domain-certificates.ts';
import { startEchoComponent } from '../services/echo-component.ts';
import { MANAGER } from '../services/net-snmp.ts';
import type { ManagedClient } from '../support/managed-client.ts';
import { appearOver } from '../support/network.ts';
import { acknowledged, clientAt } from '../support/talking.ts';
import { type ClusterProcess, startThreeNodes } from '../support/three-nodes.ts';

/** Another server, of the same make. */
export const PEER = 'capulet.lit';
export const COMPONENT = 'echo.localhost';
/** A domain that the configuration names: nobody is there, and somebody says to be. */
export const FORGED = 'named.example';
/** How often that is refused. */
export const REFUSALS = 2;
/** What applTable says of the service. */
export const SERVICE = {
  directoryName: 'cn=chat,o=verona',
  description: 'Chat of the tests',
  url: 'http://chat.example/',
};
const SECRET = 'known to the component';

/** Three nodes, another server, and a component; people and these talk to each other until the test is over. */
export async function startBusyCluster(): Promise<ClusterProcess[]> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-monitoring-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const certificates = DomainCertificates.make(folder);
  const dns = await TestDns.start();
  const federation = {
    authorities: certificates.authority,
    dnsServers: [dns.address],
    queue: { seconds: 600 }, // what waits for nobody is to wait until it was looked at
  };
  const config = {
    snmp: { port: 0, metrics: [{ host: '127.0.0.1', port: 0 }], users: [MANAGER], associations: 'all', ...SERVICE },
    // one that waits for replicas of its own
    domains: [
      { name: 'localhost', ...certificates.of('localhost') },
      { name: 'verona.localhost', replicas: 1 },
    ],
    components: [{ domain: COMPONENT, secret: SECRET }],
    directories: [
      {
        name: 'gone',
        servers: ['ldap://127.0.0.1:1'],
        bind: { dn: 'cn=parley,dc=verona', password: 'of nobody' },
        people: { base: 'ou=people,dc=verona' },
      },
    ],
    identityProviders: [
      {
        name: 'gone',
        issuer: 'https://127.0.0.1:1',
        keys: 'https://127.0.0.1:1/keys',
        audience: ['xmpp'],
        account: { claim: 'sub' },
      },
    ],
    // whatever else the machine does
    limits: { process: { heapPercent: 100, eventLoopDelayMilliseconds: 60_000 }, stanzas: { perSecond: 0 } },
    federation: { enabled: true, ...federation, peers: [{ domain: FORGED, connectTo: '127.0.0.1:1' }] },
  };
  const accounts = ['romeo', 'juliet', 'nurse', 'peter', 'mercutio'].map((name) => `${name}@localhost`);
  const nodes = await startThreeNodes(accounts, config, { s2s: [{ host: '127.0.0.1', port: 0 }], s2sTls: [] });
  const [{ node }] = nodes as [ClusterProcess];
  const peer = await OwnCluster.start({
    ...{ domain: PEER, certificate: certificates.of(PEER), nodes: 1, users: ['ann'] },
    federation,
  });
  dns.serve('localhost', node.port('s2s'));
  dns.serve(PEER, peer.next().s2s);
  await startEchoComponent({ port: node.port('components'), domain: COMPONENT, secret: SECRET, name: 'echo' });
  for (const each of nodes.slice(0, REFUSALS)) await forge(each.node.port('s2s'));
  await talk(
    nodes.map(({ port }) => port),
    peer.next().c2s,
  );
  return nodes;
}

/** Somebody says to be a server that he is not, and hears that he is not believed. */
async function forge(port: number): Promise<void> {
  const forger = await HostileServer.connect(port);
  await forger.begin(FORGED, 'localhost');
  forger.send(`<db:result from='${FORGED}' to='localhost'>a key that nobody knows of</db:result>`);
  const told = await forger.next();
  if (told?.attr('type') !== 'error') throw new Error(`He was told ${told}`);
  forger.break();
}

/** People of several domains talk, to each other and to whoever is not there. */
async function talk(ports: readonly number[], elsewhere: number): Promise<void> {
  const [first, second, third] = ports as [number, number, number];
  await appearOver(second, 'juliet@localhost/balcony');
  const [romeo, nurse, peter] = (['romeo', 'nurse', 'peter'] as const).map((name, place) =>
    clientAt(`${name}@localhost`, () => [first, third, first][place] as number),
  ) as [ManagedClient, ManagedClient, ManagedClient];
  const ann = clientAt(`ann@${PEER}`, () => elsewhere);
  for (const client of [romeo, nurse, peter, ann]) await client.start();
  const speak = async (i: number) => {
    const others = [
      'juliet@localhost/balcony',
      'mercutio@localhost',
      'nobody@localhost',
      `nymph@${COMPONENT}`,
      ann.jid,
    ];
    for (const to of others) romeo.say(to, `${i}`);
    if (i < 50) romeo.say(`ann@${FORGED}`, `${i}`);
    nurse.say(peter.jid, `${i}`);
    ann.say(romeo.jid, `${i}`);
    await Promise.all([romeo, nurse, ann].map(acknowledged));
  };
  await speak(0);
  let over = false;
  const talking = (async () => {
    for (let i = 1; !over; i++) await speak(i);
  })();
  onTestFinished(async () => {
    over = true;
    await talking;
  });
}
