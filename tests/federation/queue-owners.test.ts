import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Configuration } from '@parley/server/config/schema';
import { CertificateAuthority, plainName } from '@parley/server/stream/testing';
import { Jid } from '@parley/xmpp/jid';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startRedis } from '../services/redis.ts';
import type { TestClient } from '../support/client.ts';
import { logIn } from '../support/network.ts';
import { NodeHere } from '../support/node-here.ts';
import { CountingPeer } from './counting-peer.ts';

const QUEUE = Jid.parse('remote.example/localhost');
const nowhere = { host: '127.0.0.1', port: 0 };
const anywhere = { c2s: [nowhere], c2sTls: [], components: [], http: [], s2s: [], s2sTls: [] };

/** Three nodes, one client on each, and another server that they all know. */
async function start(federation: object = {}, port?: number) {
  const authority = await CertificateAuthority.make();
  const peer = await CountingPeer.start(await authority.issue(plainName(2, 'remote.example')), true);
  const folder = mkdtempSync(join(tmpdir(), 'parley-queues-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const authorities = join(folder, 'authority.crt');
  writeFileSync(authorities, authority.cert);
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const peers = [{ domain: 'remote.example', connectTo: `127.0.0.1:${port ?? peer.port}` }];
  const config = { listen: anywhere, federation: { enabled: true, authorities, peers, ...federation } };
  const nodes: NodeHere[] = [];
  while (nodes.length < 3) nodes.push(await NodeHere.start(redis.url, { name: `node-${nodes.length}`, config }));
  const names = ['romeo', 'mercutio', 'benvolio'];
  await nodes[0]?.accounts(...names.map((name) => `${name}@localhost`));
  const clients: TestClient[] = [];
  for (const [index, name] of names.entries())
    clients.push(await logIn(nodes[index]?.port ?? 0, `${name}@localhost/a`));
  return { peer, nodes, clients: clients as [TestClient, TestClient, TestClient] };
}

const say = (client: TestClient, body: string) =>
  client.send(`<message to='juliet@remote.example' id='${body}' type='chat'><body>${body}</body></message>`);

/** Has all nodes know this of it from now on. */
async function reload(nodes: readonly NodeHere[], change: (federation: Configuration['federation']) => void) {
  for (const { node } of nodes) {
    const next = structuredClone(node.config);
    change(next.federation);
    await node.reload(next);
  }
}

const streams = (nodes: readonly NodeHere[]) => nodes.map((node) => node.logged('s2s.connected').length);

/** Which nodes know of the queue: `here` where they have it. */
const known = (nodes: readonly NodeHere[]) =>
  nodes.map(({ node }) => {
    const found = node.sessions.get(QUEUE);
    return found === undefined ? undefined : node.sessions.owned(found) === undefined ? 'elsewhere' : 'here';
  });

test('all nodes speak to another server on one stream, that of the node that had something for it first', async () => {
  const { peer, nodes, clients } = await start();
  const [romeo, mercutio, benvolio] = clients;
  say(mercutio, '1');
  await vi.waitFor(() => expect(peer.got.length).toBe(1));
  await vi.waitFor(() => expect(known(nodes)).toEqual(['elsewhere', 'here', 'elsewhere']));
  say(romeo, '2');
  await vi.waitFor(() => expect(peer.got.length).toBe(2));
  say(benvolio, '3');
  await vi.waitFor(() => expect(peer.got.length).toBe(3));
  expect(peer.got).toEqual(['mercutio@localhost/a 1', 'romeo@localhost/a 2', 'benvolio@localhost/a 3']);
  await nodes[0]?.node.federation.routing.connect('localhost', 'remote.example'); // there is a stream already
  expect(streams(nodes)).toEqual([0, 1, 0]);
  expect(nodes.map(({ node }) => node.sessions.size)).toEqual([1, 1, 1]); // nobody takes it for a client's

  // nothing goes for a while: whoever has something next has the queue
  await reload(nodes, ({ timeouts }) => {
    timeouts.idleSeconds = 1;
  });
  await vi.waitFor(() => expect(known(nodes)).toEqual([undefined, undefined, undefined]));
  say(benvolio, '4');
  await vi.waitFor(() => expect(peer.got.at(-1)).toBe('benvolio@localhost/a 4'));
  expect(streams(nodes)).toEqual([0, 1, 1]);
});

test('nodes that have something for it at the same moment agree who has the queue', async () => {
  const { peer, nodes, clients } = await start();
  for (let n = 0; n < 5; n++) for (const client of clients) say(client, String(n));
  await vi.waitFor(() => expect(peer.got.length).toBe(15));
  for (const name of ['romeo', 'mercutio', 'benvolio']) {
    const own = peer.got.filter((line) => line.startsWith(name)).map((line) => line.split(' ')[1]);
    expect(own).toEqual(['0', '1', '2', '3', '4']);
  }
  expect(streams(nodes).reduce((sum, count) => sum + count)).toBe(1);
  expect(known(nodes).toSorted()).toEqual(['elsewhere', 'elsewhere', 'here']);
});

test('what does not go out comes back once to whoever sent it, on whatever node', async () => {
  const { nodes, clients } = await start({ queue: { maxStanzas: 2 }, retry: { firstSeconds: 1, maxSeconds: 1 } }, 1);
  const [romeo, mercutio, benvolio] = clients;
  const answer = async (client: TestClient) => {
    const stanza = await client.nextMessage();
    return `${stanza.attr('id')} ${stanza.child('error')?.firstChild?.name}`;
  };
  say(romeo, '1');
  await vi.waitFor(() => expect(known(nodes)).toEqual(['here', 'elsewhere', 'elsewhere']));
  say(mercutio, '2');
  await mercutio.sync();
  const connecting = nodes[1]?.node.federation.routing.connect('localhost', 'remote.example');
  await expect(connecting).rejects.toThrow('Another node speaks to it');
  say(benvolio, '3');
  expect(await answer(benvolio)).toBe('3 resource-constraint');
  await reload(nodes, ({ queue }) => {
    queue.seconds = 1;
  });
  expect(await Promise.all([answer(romeo), answer(mercutio)])).toEqual([
    '1 remote-server-timeout',
    '2 remote-server-timeout',
  ]);
  for (const client of clients) expect(await client.sync()).toEqual([]);
});

test('a queue goes to another node when its own lets go of it, with all that waits', async () => {
  const { peer, nodes, clients } = await start();
  const [romeo, mercutio] = clients;
  say(romeo, '1');
  await vi.waitFor(() => expect(known(nodes)).toEqual(['here', 'elsewhere', 'elsewhere']));
  await vi.waitFor(() => expect(peer.got.length).toBe(1));
  peer.acknowledges = false;
  say(romeo, '2');
  await vi.waitFor(() => expect(peer.got.length).toBe(2));
  const stopped = nodes[0]?.stop();
  await vi.waitFor(() => expect(known(nodes.slice(1)).includes('here')).toBe(true));
  peer.acknowledges = true;
  say(mercutio, '3');
  await vi.waitFor(() => expect(peer.got.length).toBe(3));
  expect(peer.got).toEqual(['romeo@localhost/a 1', 'romeo@localhost/a 2', 'mercutio@localhost/a 3']);
  expect(peer.resumed).toBe(1);
  await stopped;
});
