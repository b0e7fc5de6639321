import { setTimeout as pause } from 'node:timers/promises';
import { OwnRedis } from '@parley/keyspace/testing/own-redis';
import { LossyProxy } from '../support/lossy-proxy.ts';

const OPTIONS = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--repl-diskless-sync-delay', '0'];

/** Milliseconds that a replica may take to fetch everything. */
const IN_STEP_WITHIN = 60_000;

/** A primary that keeps its data on disk, and a replica of it. Both end with the test. */
export class RedisPair {
  primary: OwnRedis;
  replica: OwnRedis;
  /** Between them. */
  readonly #link: LossyProxy;

  private constructor(primary: OwnRedis, replica: OwnRedis, link: LossyProxy) {
    this.primary = primary;
    this.replica = replica;
    this.#link = link;
  }

  static async start(): Promise<RedisPair> {
    const primary = await OwnRedis.start(OPTIONS);
    const replica = await OwnRedis.start(OPTIONS);
    const pair = new RedisPair(primary, replica, await LossyProxy.to(primary.port));
    await pair.#follow();
    await pair.inStep();
    return pair;
  }

  /** Has the replica follow the primary. */
  #follow(): Promise<string> {
    return this.replica.ask('REPLICAOF', '127.0.0.1', String(this.#link.port));
  }

  /** Resolves when the replica has what the primary has. */
  async inStep(): Promise<void> {
    const until = performance.now() + IN_STEP_WITHIN;
    while ((await information(this.replica, 'replication', 'master_link_status')) !== 'up') {
      if (performance.now() > until) {
        const state = await this.replica.askAll('INFO', 'replication');
        throw new Error(`The replica of Redis does not come into step with its primary: ${state}`);
      }
      await pause(50);
    }
  }

  /**
   * kill -9. What Redis has answered is then in the hands of the operating system, unless it puts off writing because
   * the disk has not finished: such a moment is waited for to pass, as it would take what was answered with it.
   */
  async kill(): Promise<void> {
    while ((await information(this.primary, 'persistence', 'aof_pending_bio_fsync')) === '1') await pause(2);
    await this.primary.kill();
  }

  async start(): Promise<void> {
    await this.primary.start();
  }

  /** The replica gets nothing of what the primary writes from now on, until it is promoted. */
  fallBehind(): void {
    this.#link.lose('to the client');
  }

  /** The replica becomes the primary, and the primary, which is dead, its replica. */
  async promote(): Promise<void> {
    [this.primary, this.replica] = [this.replica, this.primary];
    this.#link.cut();
    this.#link.redirect(this.primary.port);
    await this.primary.ask('REPLICAOF', 'NO', 'ONE');
    await this.replica.start();
    await this.#follow();
  }

  /** CLIENT KILL; how many connections it was. */
  async killClients(type: 'normal' | 'pubsub'): Promise<number> {
    return Number((await this.primary.ask('CLIENT', 'KILL', 'TYPE', type)).slice(1));
  }

  /** What is left of sessions: the fields of all hashes and sets, the lengths of all lists, by the name of the key. */
  async sessionsLeft(): Promise<number> {
    const script = `
      local left = 0
      for _, key in ipairs(redis.call('KEYS', 'session:*')) do left = left + redis.call('HLEN', key) end
      for _, key in ipairs(redis.call('KEYS', 'sessions:*')) do left = left + redis.call('SCARD', key) end
      return left + #redis.call('KEYS', 'journal:*') + #redis.call('KEYS', 'waiting:*')`;
    return Number((await this.primary.ask('EVAL', script, '0')).slice(1));
  }

  /** The keys of sessions that are left, a few of them. */
  async keysLeft(): Promise<string> {
    const script = `
      local keys = {}
      for _, pattern in ipairs({'session:*', 'sessions:*', 'journal:*', 'waiting:*'}) do
        for _, key in ipairs(redis.call('KEYS', pattern)) do if #keys < 50 then keys[#keys + 1] = key end end
      end
      return table.concat(keys, ' ')`;
    return (await this.primary.askAll('EVAL', script, '0')).split('\r\n')[1] ?? '';
  }
}

async function information(redis: OwnRedis, section: string, name: string): Promise<string | undefined> {
  const text = await redis.askAll('INFO', section);
  return new RegExp(`^${name}:(.*)$`, 'm').exec(text)?.[1]?.trim();
}
