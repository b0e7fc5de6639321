import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { NS } from '@parley/xmpp/namespaces';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type CertificatePair, DomainCertificates } from '../services/domain-certificates.ts';
import { startRedis } from '../services/redis.ts';
import { ManagedClient } from '../support/managed-client.ts';
import { Installation, type RunningParley } from '../support/process.ts';
import { ResumingServer, type ServerLink } from '../support/resuming-server.ts';
import { HostileServer } from './hostile-server.ts';

vi.setConfig({ testTimeout: 60_000 });

const OURS = 'montague.lit';
const THEIRS = 'capulet.lit';

interface OwnNode {
  readonly installation: Installation;
  readonly c2s: number;
  readonly s2s: number;
  life: RunningParley;
}

/** Nodes that are one server, in processes of their own, and what is theirs of the other one. */
async function start(count: number, ...accounts: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'parley-federation-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const certificates = DomainCertificates.make(folder);
  const redis = count > 1 ? await startRedis() : undefined;
  if (redis !== undefined) onTestFinished(() => redis.stop());
  const own = certificates.of(OURS);
  const nodes: OwnNode[] = [];
  for (let index = 0; index < count; index++) {
    const [c2s, s2s] = [await freePort(), await freePort()];
    const installation = new Installation({
      domains: [{ name: OURS, ...own }],
      listen: {
        c2s: [{ host: '127.0.0.1', port: c2s }],
        c2sTls: [],
        http: [],
        s2s: [{ host: '127.0.0.1', port: s2s }],
        s2sTls: [],
      },
      authentication: { iterations: 4096 },
      limits: {
        stanzas: { perSecond: 0, strangersPerHour: 0 },
        bytes: { perSecond: 0 },
        process: { eventLoopDelayMilliseconds: 60_000 },
      },
      federation: { enabled: true, authorities: certificates.authority },
      ...(redis && { keyspace: { url: redis.url }, cluster: { secret: 'a secret that only the tests know of' } }),
    });
    if (index === 0) await installation.accounts(...accounts);
    nodes.push({ installation, c2s, s2s, life: await installation.start() });
  }
  return { nodes, theirs: certificates.of(THEIRS) };
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
  const { nodes, theirs } = await start(count, `juliet@${OURS}`, `benvolio@${OURS}`);
  let turn = 0;
  const next = () => {
    const alive = nodes.filter(({ life }) => life.alive);
    return alive[turn++ % alive.length] as OwnNode;
  };
  const reached: OwnNode[] = [];
  const capulet = new ResumingServer(async () => {
    for (;;) {
      const node = next();
      reached.push(node);
      try {
        return await connect(node.s2s, theirs);
      } catch (error) {
        if ((error as { code?: string }).code !== 'ECONNREFUSED') throw error;
      }
    }
  });
  const juliet = new ManagedClient(`juliet@${OURS}/balcony`, () => next().c2s);
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
    else await node.life.kill();
    say();
    if (count === 1 && !node.life.alive) node.life = await node.installation.start();
    await capulet.resume();
    if (!node.life.alive) node.life = await node.installation.start();
  }
  await capulet.acknowledged();
  while (juliet.heard.length < said.length) await juliet.changed();
  expect(juliet.heard).toEqual(said.map((body) => `romeo@${THEIRS}/orchard ${body}`));
  expect(capulet.told).toEqual(capulet.told.toSorted((one, other) => one - other));

  const benvolio = new ManagedClient(`benvolio@${OURS}/square`, () => next().c2s);
  onTestFinished(() => benvolio.stop());
  await benvolio.start();
  while (benvolio.heard.length < said.length) await benvolio.changed();
  expect(benvolio.heard).toEqual(said.map((body) => `romeo@${THEIRS}/orchard ${body}`));
  const resumed = nodes.flatMap(({ life }) => life.log.filter(({ event }) => event === 's2s.resumed'));
  expect(resumed.length).toBeGreaterThan(0);
});
