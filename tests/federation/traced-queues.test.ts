import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { RemoteSession } from '@parley/server/session/remote-session';
import { CertificateAuthority, plainName } from '@parley/server/stream/testing';
import { Jid } from '@parley/xmpp/jid';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startRedis } from '../services/redis.ts';
import type { TestClient } from '../support/client.ts';
import { logIn } from '../support/network.ts';
import { NodeHere } from '../support/node-here.ts';
import { attributesOf, Traces } from '../support/traces.ts';
import { CountingPeer } from './counting-peer.ts';

const QUEUE = Jid.parse('remote.example/localhost');
const NAMES = ['romeo', 'mercutio'] as const;

test('a stanza is followed over the node that has the queue to the other server, also where that comes later', async () => {
  const authority = await CertificateAuthority.make();
  const folder = mkdtempSync(join(tmpdir(), 'parley-traced-queues-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const authorities = join(folder, 'authority.crt');
  writeFileSync(authorities, authority.cert);
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const config = (port: number) => ({
    listen: { c2s: [{ host: '127.0.0.1', port: 0 }], c2sTls: [], components: [], http: [], s2s: [], s2sTls: [] },
    federation: { enabled: true, authorities, peers: [{ domain: 'remote.example', connectTo: `127.0.0.1:${port}` }] },
  });
  const nobody = await freePort();
  const all = [new Traces(), new Traces()] as const;
  const start = ({ tracing }: Traces, index: number) =>
    NodeHere.start(redis.url, { name: `node-${index}`, config: config(nobody), tracing });
  const nodes = [await start(all[0], 0), await start(all[1], 1)] as const;
  await nodes[0].accounts(...NAMES.map((name) => `${name}@localhost`));
  const [romeo, mercutio] = [
    await logIn(nodes[0].port, 'romeo@localhost/a'),
    await logIn(nodes[1].port, 'mercutio@localhost/a'),
  ];
  const say = (client: TestClient, type: string) =>
    client.send(`<message to='juliet@remote.example' type='${type}'><body>${type}</body></message>`);

  // the queue is the second node's, and nobody listens
  say(mercutio, 'groupchat');
  await vi.waitFor(() => expect(nodes[1].logged('s2s.failed').length).toBeGreaterThan(0));
  await vi.waitFor(() => expect(nodes[0].node.sessions.get(QUEUE)).toBeInstanceOf(RemoteSession));
  say(romeo, 'headline');
  const root = await all[0].stanza('headline', 'c2s');
  const [hop, deliver] = [await all[0].step(root, 'xmpp.hop'), await all[1].step(root, 'xmpp.deliver')];
  const queue = await all[1].step(root, 'xmpp.queue');
  expect([deliver.parentId, queue.parentId]).toEqual([hop.spanId, deliver.spanId]);
  expect(all[0].steps(root)).toEqual(['xmpp.hop', 'xmpp.parse', 'xmpp.route']);
  expect(all[1].steps(deliver)).toEqual(['xmpp.queue']);
  // what it wrote into the journal, since it has to wait
  expect(
    all[1].spans.filter(({ parentId, name }) => parentId === deliver.spanId && /^keyspace/.test(name)),
  ).toHaveLength(1);

  // somebody listens by now, and an operator does not want to wait
  const peer = await CountingPeer.start(await authority.issue(plainName(2, 'remote.example')), true);
  for (const { node } of nodes) {
    const next = structuredClone(node.config);
    next.federation.peers = next.federation.peers.map((each) => ({ ...each, connectTo: `127.0.0.1:${peer.port}` }));
    await node.reload(next);
  }
  await nodes[1].node.federation.routing.connect('localhost', 'remote.example');
  const write = await all[1].step(root, 'xmpp.write');
  await expect.poll(() => peer.got).toEqual(['mercutio@localhost/a groupchat', 'romeo@localhost/a headline']);
  expect(write).toMatchObject({ parentId: deliver.spanId, traceId: root.traceId, failed: false });
  expect(attributesOf(write)).toMatchObject({ 'xmpp.connection.type': 's2s', 'parley.stream': 'resting' });
  expect(write.endedAt).toBeGreaterThan(deliver.endedAt);
});
