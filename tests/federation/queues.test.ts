import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { CertificateAuthority, plainName } from '@parley/server/stream/testing';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ManagedClient } from '../support/managed-client.ts';
import { Installation } from '../support/process.ts';
import { type ClusterProcess, startThreeNodes } from '../support/three-nodes.ts';
import { CountingPeer } from './counting-peer.ts';

vi.setConfig({ testTimeout: 90_000 }); // each starts several processes

const TO = 'juliet@remote.example/balcony';

/** Another server, and how ours is told of it. */
async function peerAnd(keeps: boolean): Promise<{ peer: CountingPeer; config: object }> {
  const authority = await CertificateAuthority.make();
  const certificate = await authority.issue(plainName(2, 'remote.example'));
  const peer = await CountingPeer.start(certificate, keeps);
  const folder = new Installation().folder;
  const file = join(folder, 'authority.crt');
  writeFileSync(file, authority.cert);
  const federation = {
    enabled: true,
    authorities: file,
    peers: [{ domain: 'remote.example', connectTo: `127.0.0.1:${peer.port}` }],
    retry: { firstSeconds: 1, maxSeconds: 2 },
  };
  return { peer, config: { federation } };
}

/** Clients that write to the other server, each from another node, and come back to any that is up. */
async function writers(names: readonly string[], ports: readonly number[], isUp: (port: number) => boolean) {
  const clients = names.map((name, index) => {
    let at = index;
    const next = (): number => {
      const port = ports[at++ % ports.length] as number;
      return isUp(port) || ports.length === 1 ? port : next();
    };
    return new ManagedClient(`${name}/managed`, next);
  });
  onTestFinished(() => {
    for (const client of clients) client.stop();
  });
  for (const client of clients) await client.start();
  let words = 0;
  return {
    clients,
    speak: (times: number) => {
      for (let n = 0; n < times; n++, words++) for (const client of clients) client.say(TO, `w${words}`);
    },
    /** Resolves when all that was said is acknowledged. */
    async acknowledged() {
      const complete = () => clients.every(({ said, acknowledged }) => said.length === acknowledged);
      while (!complete()) await Promise.race(clients.map((client) => client.changed()));
    },
  };
}

/** What came of one client: each word where it came first. */
const heard = (peer: CountingPeer, { jid }: ManagedClient, again: boolean) => {
  const words = peer.got.filter((line) => line.startsWith(`${jid} `)).map((line) => line.slice(jid.length + 1));
  return again ? [...new Set(words)] : words;
};

async function allHeard(peer: CountingPeer, clients: readonly ManagedClient[], again = false): Promise<void> {
  const complete = () => clients.every((client) => new Set(heard(peer, client, true)).size === client.said.length);
  while (!complete()) await peer.changed();
  for (const client of clients) expect(heard(peer, client, again)).toEqual(client.said);
}

const NAMES = ['romeo', 'mercutio', 'benvolio', 'balthasar', 'abram', 'paris'].map((name) => `${name}@localhost`);

/** The node that has the stream to the other server. */
async function owner(nodes: readonly ClusterProcess[]): Promise<ClusterProcess> {
  const connected = (node: ClusterProcess) => {
    const last = node.node.log.findLast(({ event }) => event === 's2s.connected' || event === 's2s.closed');
    return node.node.alive && last?.event === 's2s.connected';
  };
  return vi.waitFor(
    () => {
      const found = nodes.find(connected);
      if (found === undefined) throw new Error('Nobody is connected.');
      return found;
    },
    { timeout: 30_000 },
  );
}

describe.each([
  ['that keeps streams', true],
  ['that only acknowledges', false],
])('three nodes and a server %s', (_, keeps) => {
  const start = async () => {
    const { peer, config } = await peerAnd(keeps);
    const nodes = await startThreeNodes(NAMES, { ...config, drain: { seconds: 4 } }, { s2s: [], s2sTls: [] });
    const isUp = (port: number) => nodes.find((node) => node.port === port)?.node.alive === true;
    const ports = nodes.map(({ port }) => port);
    return { peer, nodes, ...(await writers(NAMES, ports, isUp)) };
  };

  test('the node that has the queue is killed: nothing that was acknowledged is lost or reordered', async () => {
    const { peer, nodes, clients, speak, acknowledged } = await start();
    speak(20);
    const first = await owner(nodes);
    while (peer.got.length < 20) await peer.changed();
    speak(20);
    peer.acknowledges = false; // what it gets from here on is not acknowledged before the node dies
    await peer.changed();
    await first.node.kill();
    peer.acknowledges = true;
    speak(10);
    await acknowledged();
    await allHeard(peer, clients, !keeps);
    expect((await owner(nodes)).port).not.toBe(first.port);
    if (keeps) expect(peer.resumed).toBe(1);
    else expect(peer.got.length).toBeGreaterThan(clients.length * 50); // and so some came twice
  });

  test('the node that has the queue is told to stop: another one goes on', async () => {
    const { peer, nodes, clients, speak, acknowledged } = await start();
    speak(20);
    const first = await owner(nodes);
    speak(20);
    first.node.child.kill('SIGTERM');
    speak(20);
    await acknowledged();
    await allHeard(peer, clients, !keeps);
    expect(await first.node.exited).toBe(0);
    speak(5);
    await acknowledged();
    await allHeard(peer, clients, !keeps);
    expect(nodes.flatMap(({ node }) => node.log).filter(({ level }) => level === 'error')).toEqual([]);
  });
});

test('a node alone is killed while stanzas wait: they go out when it is started again', async () => {
  const { peer, config } = await peerAnd(true);
  const { federation } = config as { federation: { peers: object[] } };
  const port = await freePort();
  const nowhere = { host: '127.0.0.1', port: 0 };
  const installation = new Installation({
    listen: { c2s: [{ host: '127.0.0.1', port }], c2sTls: [], http: [nowhere], s2s: [], s2sTls: [] },
    limits: { stanzas: { perSecond: 0, strangersPerHour: 0 }, bytes: { perSecond: 0 } },
  });
  const [romeo = '', mercutio = ''] = NAMES;
  await installation.accounts(romeo, mercutio);
  installation.configure({
    federation: { ...federation, peers: [{ domain: 'remote.example', connectTo: `127.0.0.1:${await freePort()}` }] },
  });
  const first = await installation.start();
  const { clients, speak, acknowledged } = await writers([romeo, mercutio], [port], () => true);
  speak(20);
  await acknowledged();
  await first.kill();
  expect(peer.got).toEqual([]);
  installation.configure({ federation });
  const second = await installation.start();
  speak(5);
  await acknowledged();
  await allHeard(peer, clients);
  expect(second.log.some(({ event }) => event === 's2s.restored')).toBe(true);
  // once more, with a stream that the other side keeps
  speak(20);
  peer.acknowledges = false;
  await peer.changed();
  await second.kill();
  peer.acknowledges = true;
  await installation.start();
  await acknowledged();
  await allHeard(peer, clients);
  expect(peer.resumed).toBe(1);
});
