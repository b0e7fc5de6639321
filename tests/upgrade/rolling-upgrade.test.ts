// Three nodes behind HAProxy, as docs/operations.md has them, are upgraded one after the other and back again, and get another
// certificate and another configuration, while clients talk. Whatever was acknowledged is counted, as in tests/chaos.

import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { openKeyspace } from '@parley/keyspace/open';
import { freePort } from '@parley/keyspace/testing/own-redis';
import { expect, it, onTestFinished } from 'vitest';
import { Crowd, type Entrances } from '../chaos/crowd.ts';
import { Ledger } from '../chaos/ledger.ts';
import { ResumeTimes } from '../chaos/resume-times.ts';
import { Timeline } from '../chaos/timeline.ts';
import { makeCertificates } from '../services/certificates.ts';
import type { Haproxy } from '../services/haproxy.ts';
import { startRedis } from '../services/redis.ts';
import { balancer } from '../support/balancer.ts';
import { mechanismsOf } from '../support/login.ts';
import { encrypted } from '../support/network.ts';
import { Installation, type RunningParley } from '../support/process.ts';
import { nextVersion } from './next-version.ts';

const PORTS = ['c2s', 'c2sTls', 'http', 'agentCheck'] as const;
const NODES = 3;
const CLIENTS = 24;

/** What each client says in a second. */
const RATE = 5;

/** One node, of this version or the next one, on the same ports in all its lives. */
class UpgradedNode {
  readonly installation: Installation;
  readonly port: (name: (typeof PORTS)[number]) => number;
  readonly lives: RunningParley[] = [];

  private constructor(installation: Installation, ports: ReadonlyMap<string, number>) {
    this.installation = installation;
    this.port = (name) => ports.get(name) ?? 0;
  }

  static async of(name: string, redis: string, folder: string): Promise<UpgradedNode> {
    const ports = new Map<string, number>();
    for (const port of PORTS) ports.set(port, await freePort());
    const at = (port: string, more = {}) => [{ host: '127.0.0.1', port: ports.get(port), ...more }];
    const clients = { proxyProtocol: true };
    const installation = new Installation({
      listen: {
        c2s: at('c2s', clients),
        c2sTls: at('c2sTls', clients),
        http: at('http'),
        agentCheck: at('agentCheck'),
      },
      proxyProtocol: { trustedNetworks: ['127.0.0.1'] },
      limits: { stanzas: { perSecond: 0, strangersPerHour: 0 }, connections: { trustedNetworks: ['127.0.0.0/8'] } },
      tls: { certificate: join(folder, 'server.crt'), key: join(folder, 'server.key') },
      keyspace: { url: redis },
      cluster: { name, secret: 'a secret that only the tests know of' },
    });
    return new UpgradedNode(installation, ports);
  }

  get life(): RunningParley {
    return this.lives.at(-1) as RunningParley;
  }

  async start(cli?: string): Promise<void> {
    this.lives.push(await this.installation.start(cli === undefined ? {} : { cli }));
  }

  /** The versions of all nodes, as this one tells. */
  async versions(): Promise<string[]> {
    const { stdout, stderr } = await this.installation.parley(['status', '--json']);
    if (stdout === '') throw new Error(stderr);
    return (JSON.parse(stdout) as { cluster: { version: string }[] }).cluster.map(({ version }) => version);
  }

  async reload(config: object): Promise<void> {
    this.installation.configure(config);
    const reloaded = this.life.nextEvent('configuration.reloaded');
    this.life.child.kill('SIGHUP');
    await reloaded;
  }
}

/** The versions of frames that nodes wrote since it was asked last. */
async function frameVersions(redis: string): Promise<() => number[]> {
  const { keyspace, bus } = await openKeyspace(redis, { node: 'onlooker' });
  onTestFinished(() => keyspace.close());
  const seen = new Set<number>();
  bus.onPush((frame) => frame.length > 0 && seen.add(frame[1] as number));
  return () => {
    const since = [...seen];
    seen.clear();
    return since;
  };
}

/** The certificate that a new client is shown. */
async function shownCertificate(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const shown = socket.getPeerX509Certificate()?.fingerprint256 ?? 'none';
  socket.destroy();
  return shown;
}

/** The mechanisms that a new client may choose from. */
async function offered(port: number): Promise<string[]> {
  const client = await encrypted(port);
  client.break();
  return client.features === undefined ? [] : mechanismsOf(client.features);
}

it('a cluster behind HAProxy is upgraded, and downgraded, node by node under load, and nothing is lost', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parley-upgrade-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const before = makeCertificates(join(folder, 'before'));
  const after = makeCertificates(join(folder, 'after'));
  const put = (certificates: typeof before) => {
    copyFileSync(certificates.certificate('good'), join(folder, 'server.crt'));
    copyFileSync(certificates.key('good'), join(folder, 'server.key'));
  };
  put(before);

  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const nodes: UpgradedNode[] = [];
  for (let number = 1; number <= NODES; number++) {
    nodes.push(await UpgradedNode.of(`node-${number}`, redis.url, folder));
  }
  const names = Array.from({ length: CLIENTS }, (_, index) => `user${index}@localhost`);
  await nodes[0]?.installation.accounts(...names);
  await Promise.all(nodes.map((node) => node.start()));
  const haproxy = await balancer(nodes.map(({ port }) => port));
  await expect.poll(() => statuses(haproxy)).toEqual(nodes.map(() => 'UP'));
  const [c2s = 0, c2sTls = 0] = haproxy.ports;
  const frames = await frameVersions(redis.url);
  const now = (await nodes[0]?.versions())?.[0] ?? '';
  const next = nextVersion();

  const timeline = new Timeline();
  const ledger = new Ledger(timeline);
  const times = new ResumeTimes();
  const entrances: Entrances = { entrance: () => c2s, nameOf: () => 'haproxy' };
  // no connection looks alive here that is dead: whoever is slow is waited for
  const crowd = new Crowd({ entrances, names, timeline, ledger, times, seed: 1, rate: RATE, patience: 60_000 });
  await crowd.start();
  const talk = new AbortController();
  const talking = crowd.talk(() => !talk.signal.aborted);

  /** One node after the other; each has to take clients again before the next one goes. */
  const exchangeAll = async (cli?: string) => {
    for (const [index, node] of nodes.entries()) {
      expect(await node.life.stop()).toBe(0);
      await node.start(cli);
      await expect.poll(async () => (await haproxy.server('nodes', `node${index + 1}`)).status).toBe('UP');
    }
  };
  /** All nodes say this of all nodes, and speak to each other in this version alone. */
  const areOf = async (version: string, spoken: number) => {
    for (const node of nodes) {
      await expect.poll(() => node.versions()).toEqual(nodes.map(() => version));
    }
    frames();
    await expect.poll(frames, { interval: 1100 }).toEqual([spoken]);
  };

  await areOf(now, next.frames - 1);
  await exchangeAll(next.cli);
  await areOf(next.version, next.frames);

  // another certificate and another configuration: for whoever comes now, and nobody loses a connection
  const saidBy = crowd.clients.map(({ said }) => said.length);
  await expect.poll(() => crowd.clients.every(({ acknowledged }, at) => acknowledged >= (saidBy[at] ?? 0))).toBe(true); // all are back
  const lost = times.figures().answer.count;
  const fingerprint = (certificates: typeof before) =>
    new X509Certificate(readFileSync(certificates.certificate('good'))).fingerprint256;
  const newcomers = async () => ({
    certificates: [...new Set(await Promise.all(nodes.map(() => shownCertificate(c2sTls))))],
    scramSha1: [...new Set(await Promise.all(nodes.map(async () => (await offered(c2s)).includes('SCRAM-SHA-1'))))],
  });
  expect(await newcomers()).toEqual({ certificates: [fingerprint(before)], scramSha1: [true] });
  put(after);
  for (const node of nodes) await node.reload({ authentication: { mechanisms: ['SCRAM-SHA-256', 'PLAIN'] } });
  expect(await newcomers()).toEqual({ certificates: [fingerprint(after)], scramSha1: [false] });
  expect(times.figures().answer.count).toBe(lost);

  await exchangeAll();
  await areOf(now, next.frames - 1);
  talk.abort();
  await talking;

  expect(await crowd.settled()).toBe(true);
  const figures = ledger.figures();
  expect(await crowd.close()).toBe(true);
  const none = { lost: 0, duplicated: 0, reordered: 0, strayed: 0, bounced: 0 };
  expect({ ...figures, failed: times.failed }).toMatchObject({ ...none, failed: 0, acknowledged: figures.said });
  expect(figures.said).toBeGreaterThan(500);
  expect(times.figures().answer.count).toBeGreaterThanOrEqual(CLIENTS); // everybody had to move
  const errors = nodes.flatMap(({ lives }) => lives.flatMap(({ log }) => log.filter(({ level }) => level === 'error')));
  expect(errors).toEqual([]);
});

async function statuses(haproxy: Haproxy): Promise<string[]> {
  const all = Array.from({ length: NODES }, (_, index) => haproxy.server('nodes', `node${index + 1}`));
  return (await Promise.all(all)).map(({ status }) => status);
}
