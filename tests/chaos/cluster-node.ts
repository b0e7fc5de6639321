import { freePort } from '@parley/keyspace/testing/own-redis';
import { findProgram } from '../../scripts/test-services.ts';
import { LossyProxy } from '../support/lossy-proxy.ts';
import { Installation, type RunningParley } from '../support/process.ts';
import type { Timeline } from './timeline.ts';

export interface ClusterNodeOptions {
  readonly name: string;
  readonly timeline: Timeline;
  /** The port of the Redis that the nodes share; undefined for a node that keeps its data itself. */
  readonly redisPort: number | undefined;
  /** Replicas of Redis that have what is acknowledged. */
  readonly replicas: number;
  /** How many clients may log in within a second; undefined for as many as a node lets in by itself. */
  readonly logins?: number | undefined;
}

/** What a node that is to be broken need not care for. */
const OFF = 0;

/** Whoever is killed by the machine takes its nodes along, where Linux does that. */
const under = findProgram('setpriv') === undefined ? [] : ['setpriv', '--pdeathsig', 'KILL'];

/** A node in a process of its own, with proxies before it and between it and Redis. Ends with the test. */
export class ClusterNode {
  readonly name: string;
  /** Where it listens itself. */
  readonly port: number;
  readonly installation: Installation;
  /** Where clients reach it. */
  readonly clients: LossyProxy;
  /** Where it reaches Redis. */
  readonly redis: LossyProxy | undefined;
  readonly #timeline: Timeline;
  readonly #lives: RunningParley[] = [];

  private constructor(options: ClusterNodeOptions, port: number, clients: LossyProxy, redis: LossyProxy | undefined) {
    this.name = options.name;
    this.#timeline = options.timeline;
    this.port = port;
    this.clients = clients;
    this.redis = redis;
    this.installation = new Installation({
      listen: { c2s: [{ host: '127.0.0.1', port }], c2sTls: [], http: [] },
      tls: { required: false },
      authentication: { plainWithoutTls: true, iterations: 4096 },
      limits: {
        stanzas: { perSecond: OFF, strangersPerHour: OFF },
        bytes: { perSecond: OFF },
        connections: { trustedNetworks: ['127.0.0.0/8'] },
        ...(options.logins !== undefined && { logins: { perSecond: options.logins } }),
        process: { heapPercent: 100, eventLoopDelayMilliseconds: 60_000 },
      },
      drain: { seconds: 1 },
      ...(redis && {
        keyspace: {
          url: `redis://127.0.0.1:${redis.port}`,
          commandTimeoutSeconds: 2,
          replicas: options.replicas,
        },
        cluster: { secret: 'a secret that only the tests know of' },
      }),
    });
  }

  static async of(options: ClusterNodeOptions): Promise<ClusterNode> {
    const port = await freePort();
    const redis = options.redisPort === undefined ? undefined : await LossyProxy.to(options.redisPort);
    return new ClusterNode(options, port, await LossyProxy.to(port), redis);
  }

  /** Resolves when it listens. A node that does not find Redis in time is started again. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#lives.push(await this.installation.start({ under }));
        break;
      } catch (error) {
        this.#timeline.note(`${this.name} does not start: ${error}`);
        if (attempt === 5) throw error;
      }
    }
    this.#timeline.note(`${this.name} listens`);
  }

  get #life(): RunningParley {
    const life = this.#lives.at(-1);
    if (life === undefined) throw new Error(`${this.name} was never started.`);
    return life;
  }

  get alive(): boolean {
    return this.#life.alive;
  }

  kill(): Promise<void> {
    return this.#life.kill();
  }

  /** Ends it in order; its exit code. */
  terminate(): Promise<number | null> {
    return this.#life.stop();
  }

  stop(): void {
    this.#life.child.kill('SIGSTOP');
  }

  goOn(): void {
    this.#life.child.kill('SIGCONT');
  }

  /** What it says of its sessions. */
  async sessions(): Promise<number> {
    const { stdout, stderr } = await this.installation.parley(['status', '--json']);
    if (stdout === '') throw new Error(`${this.name} does not say how it is: ${stderr}`);
    return (JSON.parse(stdout) as { sessions: number }).sessions;
  }

  /** Everything that all its lives logged. */
  get log(): readonly object[] {
    return this.#lives.flatMap(({ log }) => log);
  }

  /** Puts what it warned of, and what befell the cluster, on the time line. */
  tell(): void {
    for (const life of this.#lives) {
      for (const { level, event, time, ...fields } of life.log) {
        const telling = level === 'warn' || level === 'error' || level === 'fatal' || /^(cluster|member)/.test(event);
        if (telling) this.#timeline.note(`${this.name} ${event} ${JSON.stringify(fields)}`, Date.parse(String(time)));
      }
      if (life.stderr.includes('    at ')) this.#timeline.note(`${this.name} wrote: ${life.stderr}`);
    }
  }
}
