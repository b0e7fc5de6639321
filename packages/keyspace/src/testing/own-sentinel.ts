import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { OwnRedis } from './own-redis.ts';

/** A primary, its replica and a sentinel that decides alone, which a test may maltreat. They end with the test. */
export class OwnSentinel {
  readonly primary: OwnRedis;
  readonly replica: OwnRedis;
  readonly url: string;

  private constructor(primary: OwnRedis, replica: OwnRedis, url: string) {
    this.primary = primary;
    this.replica = replica;
    this.url = url;
  }

  static async start(): Promise<OwnSentinel> {
    const primary = await OwnRedis.start(['--repl-diskless-sync-delay', '0']);
    const replica = await OwnRedis.start(['--replicaof', '127.0.0.1', String(primary.port)]);
    const isUp = async () => expect(await replica.askAll('INFO', 'replication')).toContain('master_link_status:up');
    await vi.waitFor(isUp, { interval: 20 });
    const file = join(primary.directory, 'sentinel.conf');
    const settings = [
      `monitor chat 127.0.0.1 ${primary.port} 1`,
      'down-after-milliseconds chat 1000',
      'failover-timeout chat 3000',
    ];
    writeFileSync(file, settings.map((line) => `sentinel ${line}\n`).join(''));
    const sentinel = await OwnRedis.start([], file);
    const knows = async () => expect(await sentinel.askAll('SENTINEL', 'REPLICAS', 'chat')).not.toMatch(/^\*0/);
    await vi.waitFor(knows, { interval: 20 });
    return new OwnSentinel(primary, replica, `redis+sentinel://127.0.0.1:${sentinel.port}/chat`);
  }
}
