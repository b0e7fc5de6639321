import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, plainName } from '@parley/server/stream/testing';
import { NS } from '@parley/xmpp/namespaces';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startRedis } from '../services/redis.ts';
import type { TestClient } from '../support/client.ts';
import { logIn } from '../support/network.ts';
import { NodeHere } from '../support/node-here.ts';
import { HostileServer } from './hostile-server.ts';

const nowhere = { host: '127.0.0.1', port: 0 };

/** Three nodes, a client on the second, and another server that nobody can connect to; `connect` has it begin a stream at a node. */
async function start() {
  const authority = await CertificateAuthority.make();
  const { cert, key } = await authority.issue(plainName(2, 'remote.example'));
  const folder = mkdtempSync(join(tmpdir(), 'parley-ways-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const own = { certificate: file('remote.crt', cert), key: file('remote.key', key) };
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const config = {
    listen: { c2s: [nowhere], c2sTls: [], components: [], http: [], s2s: [nowhere], s2sTls: [] },
    federation: {
      enabled: true,
      authorities: file('authority.crt', authority.cert),
      peers: [{ domain: 'remote.example', connectTo: '127.0.0.1:1' }],
      retry: { firstSeconds: 60 },
      queue: { seconds: 120 },
    },
  };
  const nodes: NodeHere[] = [];
  while (nodes.length < 3) nodes.push(await NodeHere.start(redis.url, { name: `node-${nodes.length}`, config }));
  await nodes[0]?.accounts('romeo@localhost');
  const romeo = await logIn(nodes[1]?.port ?? 0, 'romeo@localhost/a');
  const connect = async (index: number) => {
    const port = nodes[index]?.node.ports.find(({ name }) => name === 's2s')?.port ?? 0;
    const peer = await HostileServer.connect(port);
    await peer.begin('remote.example', 'localhost', own);
    peer.send(`<bidi xmlns='${NS.bidi}'/><auth xmlns='${NS.sasl}' mechanism='EXTERNAL'>=</auth>`);
    await peer.next();
    peer.open('remote.example', 'localhost');
    await peer.next();
    peer.send(`<enable xmlns='${NS.streamManagement}'/>`);
    expect((await peer.next())?.name).toBe('enabled');
    return peer;
  };
  return { nodes, romeo, connect };
}

const say = (romeo: TestClient, body: string) =>
  romeo.send(`<message to='juliet@remote.example' id='${body}' type='chat'><body>${body}</body></message>`);

let handled = 0;

/** The messages that come next, which it acknowledges. */
async function heard(peer: HostileServer, count: number): Promise<string[]> {
  const bodies: string[] = [];
  while (bodies.length < count) {
    const element = await peer.next();
    if (element === undefined) throw new Error('The stream ended.');
    if (element.name !== 'message') continue;
    bodies.push(element.childText('body') ?? '');
    peer.send(`<a xmlns='${NS.streamManagement}' h='${++handled}'/>`);
  }
  return bodies;
}

test('what any node has goes out on a stream that another server has begun at one of them', async () => {
  handled = 0;
  const { nodes, romeo, connect } = await start();
  const peer = await connect(0);
  await vi.waitFor(() => expect(nodes[0]?.logged('s2s.connected').length).toBe(1));
  for (const body of ['1', '2', '3']) say(romeo, body);
  expect(await heard(peer, 3)).toEqual(['1', '2', '3']);
  expect(nodes.map((node) => node.logged('s2s.failed').length)).toEqual([0, 0, 0]);
});

test('also what waits on another node already, which could not connect', async () => {
  handled = 0;
  const { nodes, romeo, connect } = await start();
  for (const body of ['1', '2']) say(romeo, body);
  await vi.waitFor(() => expect(nodes[1]?.logged('s2s.failed').length).toBe(1));
  const peer = await connect(2);
  expect(await heard(peer, 2)).toEqual(['1', '2']);
  say(romeo, '3');
  expect(await heard(peer, 1)).toEqual(['3']);
  expect(nodes.map((node) => node.logged('s2s.connected').length)).toEqual([0, 0, 1]);
  expect(await romeo.sync()).toEqual([]);
});

test('where such a stream breaks, what was not acknowledged goes out on the next one, at another node', async () => {
  handled = 0;
  const { nodes, romeo, connect } = await start();
  const first = await connect(0);
  await vi.waitFor(() => expect(nodes[0]?.logged('s2s.connected').length).toBe(1));
  say(romeo, '1');
  expect(await heard(first, 1)).toEqual(['1']);
  say(romeo, '2');
  expect((await first.next())?.name).toBeDefined();
  first.send('</stream:stream>');
  await first.gone();
  handled = 0;
  const second = await connect(2);
  expect(await heard(second, 1)).toEqual(['2']);
  expect(nodes[2]?.logged('s2s.connected').length).toBe(1);
});
