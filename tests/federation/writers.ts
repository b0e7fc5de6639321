import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CertificateAuthority, plainName } from '@parley/server/stream/testing';
import { expect, onTestFinished, vi } from 'vitest';
import { ManagedClient } from '../support/managed-client.ts';
import { Installation } from '../support/process.ts';
import { until } from '../support/talking.ts';
import type { ClusterProcess } from '../support/three-nodes.ts';
import { CountingPeer } from './counting-peer.ts';

const TO = 'juliet@remote.example/balcony';

/** Another server, and how ours is told of it. */
export async function peerAnd(keeps: boolean): Promise<{ peer: CountingPeer; config: object }> {
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
    queue: { maxStanzas: 1_000_000, maxBytes: 100_000_000, maxTotalBytes: 100_000_000 },
  };
  return { peer, config: { federation } };
}

/** Clients that write to the other server, each from another node, and come back to any that is up. */
export async function writers(names: readonly string[], ports: readonly number[], isUp: (port: number) => boolean) {
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
      await until(clients, complete);
    },
  };
}

/** What came of one client: each word where it came first. */
const heard = (peer: CountingPeer, { jid }: ManagedClient, again: boolean) => {
  const words = peer.got.filter((line) => line.startsWith(`${jid} `)).map((line) => line.slice(jid.length + 1));
  return again ? [...new Set(words)] : words;
};

export async function allHeard(peer: CountingPeer, clients: readonly ManagedClient[], again = false): Promise<void> {
  const complete = () => clients.every((client) => new Set(heard(peer, client, true)).size === client.said.length);
  while (!complete()) await peer.changed();
  for (const client of clients) expect(heard(peer, client, again)).toEqual(client.said);
}

export const NAMES = ['romeo', 'mercutio', 'benvolio', 'balthasar', 'abram', 'paris'].map(
  (name) => `${name}@localhost`,
);

/** The node that has the stream to the other server. */
export async function owner(nodes: readonly ClusterProcess[]): Promise<ClusterProcess> {
  const connected = (node: ClusterProcess) => {
    const last = node.node.log.findLast(({ event }) => event === 's2s.connected' || event === 's2s.closed');
    return node.node.alive && last?.event === 's2s.connected';
  };
  return vi.waitFor(() => {
    const found = nodes.find(connected);
    if (found === undefined) throw new Error('Nobody is connected.');
    return found;
  });
}
