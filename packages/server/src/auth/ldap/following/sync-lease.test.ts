import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openRedis } from '@parley/keyspace/redis/open-redis';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startRedis } from '../../../../../../tests/services/redis.ts';
import { directoryLeaseKeys, personKeys } from './sync-keys.ts';
import { LeaseLost, SyncLease } from './sync-lease.ts';
import { putPerson, removePerson, takeLease } from './sync-operations.ts';
import { SyncState } from './sync-state.ts';

async function embedded(): Promise<Keyspace> {
  return (await openEmbedded(undefined, {})).keyspace;
}

async function redis(): Promise<Keyspace> {
  const server = await startRedis();
  onStop = server.stop;
  return (await openRedis(server.url, {})).keyspace;
}

let onStop: (() => Promise<void>) | undefined;
let keyspace: Keyspace;
let serial = 0;

describe.each([
  ['the embedded keyspace', embedded],
  ['Redis', redis],
])('in %s', (_, open) => {
  beforeAll(async () => {
    keyspace = await open();
    return async () => {
      await keyspace.close();
      await onStop?.();
    };
  });

  const fresh = () => `directory-${serial++}`;
  const take = (directory: string, holder: string, ms: number) =>
    keyspace.call(takeLease, [directoryLeaseKeys.key(directory)], [holder, ms]);

  test('one has the lease at a time, and each holder a higher number', async () => {
    const directory = fresh();
    const first = await take(directory, 'one', 60_000);
    expect(first).toBeGreaterThan(0);
    expect(await take(directory, 'one', 60_000)).toBe(first);
    const rest = await take(directory, 'two', 60_000);
    expect(rest).toBeLessThan(-50_000);
    await take(directory, 'one', 0);
    expect(await take(directory, 'two', 60_000)).toBeGreaterThan(first);
    expect(await take(directory, 'one', 0)).toBeLessThan(0); // it is not his to give back
  });

  test('how far it came is kept by the holder alone', async () => {
    const directory = fresh();
    const first = await take(directory, 'one', 1);
    const state = await SyncState.load(keyspace, directory, 'people', first);
    expect(state.cookie('shape')).toBeUndefined();
    await state.saveCookie(Buffer.from([0, 255]), 'shape');
    await state.saveCompleted(17);
    while ((await take(directory, 'two', 60_000)) <= 0);
    await expect(state.saveCookie(Buffer.from('late'), 'shape')).rejects.toThrow(LeaseLost);
    const second = await SyncState.load(keyspace, directory, 'people', await take(directory, 'two', 60_000));
    expect(second.cookie('shape')).toEqual(Buffer.from([0, 255]));
    expect(second.cookie('another shape')).toBeUndefined();
    expect([second.completed, second.held]).toEqual([17, 0]);
  });

  test('whoever had it writes nothing about people to whom the next one has come', async () => {
    const key = [personKeys.key('romeo@localhost', fresh())];
    const put = (epoch: number, state: string) => keyspace.call(putPerson, key, [epoch, 'id', 'a', 'state', state]);
    const state = async () => (await keyspace.hget(key[0] ?? '', 'state'))?.toString();
    expect(await put(2, 'two')).toBe(true);
    expect(await put(1, 'one')).toBe(false);
    expect(await state()).toBe('two');
    expect(await keyspace.call(removePerson, key, [1, 'a'])).toBe(false);
    expect(await keyspace.call(removePerson, key, [2, 'b'])).toBe(true);
    expect(await state()).toBe('two'); // it is the address of somebody else by now
    expect(await keyspace.call(removePerson, key, [3, 'a'])).toBe(true);
    expect(await state()).toBeUndefined();
  });

  test('the work goes to another node when its node stops, and when that says nothing any more', async () => {
    const directory = fresh();
    const working = new Map<string, PromiseWithResolvers<number>>();
    const begun = (holder: string) => {
      const at = working.get(holder) ?? Promise.withResolvers<number>();
      working.set(holder, at);
      return at;
    };
    const start = (holder: string, leaseMs: number) => {
      const end = new AbortController();
      const onTrouble = () => {};
      const lease = new SyncLease({ keyspace, directory, holder, leaseMs: () => leaseMs, onTrouble });
      const kept = lease.keep(end.signal, async (epoch, signal) => {
        begun(holder).resolve(epoch);
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      });
      const stop = async () => {
        end.abort();
        await kept;
      };
      onTestFinished(stop);
      return stop;
    };
    expect(await take(directory, 'dead', 300)).toBeGreaterThan(0);
    const stop = start('one', 60_000);
    const epoch = await begun('one').promise;
    start('two', 400);
    await stop();
    expect(await begun('two').promise).toBeGreaterThan(epoch);
  });
});
