import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NS } from '@parley/xmpp/namespaces';
import { expect, onTestFinished, test } from 'vitest';
import { type CertificatePair, DomainCertificates } from '../services/domain-certificates.ts';
import { ManagedClient } from '../support/managed-client.ts';
import { ResumingServer, type ServerLink } from '../support/resuming-server.ts';
import { heard } from '../support/talking.ts';
import { HostileServer } from './hostile-server.ts';
import { OwnCluster, type OwnNode } from './own-cluster.ts';

const OURS = 'montague.lit';
const THEIRS = 'capulet.lit';

/** Nodes that are one server, and what is theirs of the other one. */
async function start(nodes: number, ...users: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-federation-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const certificates = DomainCertificates.make(folder);
  const federation = { authorities: certificates.authority };
  const certificate = certificates.of(OURS);
  const cluster = await OwnCluster.start({ domain: OURS, certificate, nodes, users, federation });
  return { cluster, theirs: certificates.of(THEIRS) };
}

/** A stream with a proof by certificate. */
async function connect(port: number, own: CertificatePair): Promise<ServerLink> {
  const peer = await HostileServer.connect(port);
  await peer.begin(THEIRS, OURS, own);
  peer.send(`<auth xmlns='${NS.sasl}' mechanism='EXTERNAL'>=</auth>`);
  const answer = await peer.next();
  if (answer?.name !== 'success') throw new Error(`It is not let in: ${answer}`);
  peer.open(THEIRS, OURS);
  await peer.next();
  return { send: (text) => peer.send(text), next: () => peer.next(), break: () => peer.break() };
}

const message = (to: string, body: string) =>
  `<message from='romeo@${THEIRS}/orchard' to='${to}@${OURS}' type='chat' id='${body}'><body>${body}</body></message>`;

test.each([
  ['one node that is started again', 1],
  ['three nodes, one of which is killed each time', 3],
])('a server that resumes at %s loses and doubles nothing', async (_, count) => {
  const { cluster, theirs } = await start(count, 'juliet', 'benvolio');
  const reached: OwnNode[] = [];
  const capulet = new ResumingServer(async () => {
    for (;;) {
      const node = cluster.next();
      reached.push(node);
      try {
        return await connect(node.s2s, theirs);
      } catch (error) {
        if ((error as { code?: string }).code !== 'ECONNREFUSED') throw error;
      }
    }
  });
  const juliet = new ManagedClient(`juliet@${OURS}/balcony`, () => cluster.next().c2s);
  onTestFinished(() => {
    juliet.stop();
    capulet.break();
  });
  await juliet.start();
  await capulet.start();

  const said: string[] = [];
  const say = () => {
    const body = String(said.length);
    said.push(body);
    capulet.send(message('juliet', body));
    capulet.send(message('benvolio', body));
  };
  for (let kill = 0; kill < 3; kill++) {
    for (let word = 0; word < 25; word++) {
      say();
      if (word % 8 === 1) await capulet.ask();
    }
    await juliet.changed(); // in the middle of it
    const node = reached.at(-1) as OwnNode;
    if (kill === 1) capulet.break();
    else await node.kill();
    say();
    if (count === 1 && !node.alive) await node.start();
    await capulet.resume();
    if (!node.alive) await node.start();
  }
  await capulet.acknowledged();
  await heard(juliet, said.length);
  expect(juliet.heard).toEqual(said.map((body) => `romeo@${THEIRS}/orchard ${body}`));
  expect(capulet.told).toEqual(capulet.told.toSorted((one, other) => one - other));

  const benvolio = new ManagedClient(`benvolio@${OURS}/square`, () => cluster.next().c2s);
  onTestFinished(() => benvolio.stop());
  await benvolio.start();
  await heard(benvolio, said.length);
  expect(benvolio.heard).toEqual(said.map((body) => `romeo@${THEIRS}/orchard ${body}`));
  expect(cluster.nodes.flatMap((node) => node.logged('s2s.resumed')).length).toBe(3);
});
