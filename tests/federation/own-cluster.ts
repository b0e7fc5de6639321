import { freePort } from '@parley/keyspace/testing/own-redis';
import { onTestFinished } from 'vitest';
import type { CertificatePair } from '../services/domain-certificates.ts';
import { startRedis } from '../services/redis.ts';
import { Installation, type RunningParley } from '../support/process.ts';

export interface OwnClusterOptions {
  readonly domain: string;
  readonly certificate: CertificatePair;
  /** More than one share a Redis. */
  readonly nodes: number;
  /** Names of users. */
  readonly users: readonly string[];
  readonly federation: object;
}

/** A node of ours in a process of its own, always on the same ports. */
export class OwnNode {
  readonly c2s: number;
  readonly s2s: number;
  readonly #installation: Installation;
  readonly #lives: RunningParley[] = [];

  constructor(c2s: number, s2s: number, installation: Installation) {
    this.c2s = c2s;
    this.s2s = s2s;
    this.#installation = installation;
  }

  async start(): Promise<void> {
    this.#lives.push(await this.#installation.start());
  }

  get alive(): boolean {
    return this.#lives.at(-1)?.alive === true;
  }

  /** kill -9 */
  async kill(): Promise<void> {
    await this.#lives.at(-1)?.kill();
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    await this.#lives.at(-1)?.stop();
  }

  /** What all its lives logged of an event. */
  logged(event: string) {
    return this.#lives.flatMap(({ log }) => log.filter((line) => line.event === event));
  }
}

/** A server of ours, of one node or several. Ends with the test. */
export class OwnCluster {
  readonly domain: string;
  readonly nodes: readonly OwnNode[];
  #turn = 0;

  private constructor(domain: string, nodes: readonly OwnNode[]) {
    this.domain = domain;
    this.nodes = nodes;
  }

  static async start(options: OwnClusterOptions): Promise<OwnCluster> {
    const { domain, certificate, federation } = options;
    const redis = options.nodes > 1 ? await startRedis() : undefined;
    if (redis !== undefined) onTestFinished(() => redis.stop());
    const nodes: OwnNode[] = [];
    for (let index = 0; index < options.nodes; index++) {
      const [c2s, s2s] = [await freePort(), await freePort()];
      const at = (port: number) => [{ host: '127.0.0.1', port }];
      const installation = new Installation({
        domains: [{ name: domain, ...certificate }],
        listen: { c2s: at(c2s), c2sTls: [], http: [], s2s: at(s2s), s2sTls: [] },
        authentication: { iterations: 4096 },
        limits: {
          stanzas: { perSecond: 0, strangersPerHour: 0 },
          bytes: { perSecond: 0 },
          process: { eventLoopDelayMilliseconds: 60_000 },
        },
        federation: { enabled: true, ...federation },
        ...(redis && { keyspace: { url: redis.url }, cluster: { secret: `what only nodes of ${domain} know` } }),
      });
      if (index === 0) await installation.accounts(...options.users.map((user) => `${user}@${domain}`));
      nodes.push(new OwnNode(c2s, s2s, installation));
    }
    const cluster = new OwnCluster(domain, nodes);
    for (const node of nodes) await node.start();
    return cluster;
  }

  /** One of those that are alive, each time another one. */
  next(): OwnNode {
    const alive = this.nodes.filter((node) => node.alive);
    const node = alive[this.#turn++ % alive.length];
    if (node === undefined) throw new Error(`No node of ${this.domain} is alive.`);
    return node;
  }
}
