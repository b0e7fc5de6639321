import { expect, test } from 'vitest';
import { type ClusterProcess, startThreeNodes } from '../support/three-nodes.ts';
import { allHeard, NAMES, owner, peerAnd, writers } from './writers.ts';

const ROUNDS = 12;

/** One after the other, each in the middle of what is said. */
const FAULTS: readonly ((nodes: readonly ClusterProcess[], peer: { break(): void }) => Promise<unknown>)[] = [
  async (nodes) => (await owner(nodes)).node.kill(),
  async (_, peer) => peer.break(),
  async (nodes) => (await owner(nodes)).node.stop(),
  async (nodes, peer) => {
    peer.break();
    await (await owner(nodes)).node.kill();
  },
  async (nodes) => {
    const { port } = await owner(nodes);
    await nodes.find((node) => node.port !== port && node.node.alive)?.node.kill();
  },
];

test.each([
  ['that keeps streams', true],
  ['that only acknowledges', false],
])('nodes die and streams break all the time: a server %s gets everything, in order', async (_, keeps) => {
  const { peer, config } = await peerAnd(keeps);
  const drain = { seconds: 4 };
  const nodes: { -readonly [Key in keyof ClusterProcess]: ClusterProcess[Key] }[] = await startThreeNodes(
    NAMES,
    { ...config, drain },
    { s2s: [], s2sTls: [] },
  );
  const isUp = (port: number) => nodes.find((node) => node.port === port)?.node.alive === true;
  const ports = nodes.map(({ port }) => port);
  const { clients, speak, acknowledged } = await writers(NAMES, ports, isUp);
  for (let round = 0; round < ROUNDS; round++) {
    for (let n = 0; n < 20; n++) {
      speak(5);
      await Promise.race(clients.map((client) => client.changed()));
    }
    await FAULTS[round % FAULTS.length]?.(nodes, peer);
    for (const node of nodes) if (!node.node.alive) node.node = await node.installation.start();
    speak(5);
  }
  await acknowledged();
  await allHeard(peer, clients, !keeps);
  if (keeps) expect(peer.got.length).toBe(clients.reduce((sum, { said }) => sum + said.length, 0));
});
