import { freePort } from '@parley/keyspace/testing/own-redis';
import { describe, expect, test } from 'vitest';
import { Installation } from '../support/process.ts';
import { startThreeNodes } from '../support/three-nodes.ts';
import { allHeard, NAMES, owner, peerAnd, writers } from './writers.ts';

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
  await second.event('s2s.restored'); // it has told so when it started
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
