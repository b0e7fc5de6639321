import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openRedis } from '@parley/keyspace/redis/open-redis';
import { Jid } from '@parley/xmpp/jid';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startRedis } from '../../../../../tests/services/redis.ts';
import { sessionKeys } from '../../session/resumption/resumption-keys.ts';
import { ResumptionStore } from '../../session/resumption/resumption-store.ts';
import { OfflineStore, offlineKeys, offlineSenderKeys, offlineStateKeys, readKept } from './offline-store.ts';

async function embedded(): Promise<Keyspace> {
  const { keyspace } = await openEmbedded(undefined, {});
  onTestFinished(() => keyspace.close());
  return keyspace;
}

async function disk(): Promise<Keyspace> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-offline-'));
  const { keyspace } = await openEmbedded(folder, {});
  onTestFinished(async () => {
    await keyspace.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return keyspace;
}

async function redis(): Promise<Keyspace> {
  const server = await startRedis();
  const { keyspace } = await openRedis(server.url, {});
  onTestFinished(async () => {
    await keyspace.close();
    await server.stop();
  });
  return keyspace;
}

const step = fc.oneof(
  fc.record({ add: fc.string({ maxLength: 5, unit: 'grapheme' }) }),
  fc.record({ remove: fc.integer({ min: -1, max: 6 }) }),
);
const size = (texts: readonly string[]) => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);

describe.each([
  ['JavaScript', embedded],
  ['JavaScript on disk', disk],
  ['Lua', redis],
])('the operations of offline messages in %s', (_, open) => {
  it('keep nothing where they are to look, and somebody is there who gets it', async () => {
    const keyspace = await open();
    const store = new OfflineStore(keyspace);
    const sessions = new ResumptionStore({ keyspace, onDamaged: (error) => expect.fail(error.message) });
    const juliet = Jid.parse('juliet@capulet.lit');
    const limits = { maxMessages: 1, maxBytes: 100 };
    const add = (look: boolean, k: number) =>
      store.add(juliet, Buffer.from('a'), limits, { sid: 'a'.repeat(16), k, effect: 0 }, look);
    const rest = {
      carbons: true,
      interested: true,
      inactive: true,
      boundAt: 1,
      presence: undefined,
      directed: [],
      mechanism: '',
    };
    const record = (resource: string, receiving: boolean, epoch: number, maxSeconds: number) => {
      const sid = resource.repeat(16);
      return { ...rest, resource, sid, epoch, maxSeconds, receiving };
    };
    await sessions.register(juliet, record('1', false, 1, 0));
    await sessions.register(juliet, record('2', false, 300, 86_400)); // numbers of several bytes
    expect(await add(true, 1)).toBe('stored');
    expect(await add(true, 2)).toBe('too many messages');
    await sessions.register(juliet, record('3', true, 70_000, 500));
    expect(await add(true, 1)).toBe('stored'); // it came before
    expect(await add(true, 2)).toBe('somebody is there');
    expect(await add(false, 2)).toBe('too many messages');
    await sessions.update(juliet, record('3', false, 70_000, 500));
    expect(await add(true, 2)).toBe('too many messages');
    expect((await store.page(juliet)).texts.map((kept) => String(readKept(kept).text))).toEqual(['a']);
  });

  it('keep what fits, remove what was taken, and leave nothing behind', async () => {
    const keyspace = await open();
    const store = new OfflineStore(keyspace);
    const limits = { maxMessages: 5, maxBytes: 12 };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const account = Jid.parse(`${randomUUID()}@capulet.lit`);
        let model: string[] = [];
        for (const next of steps) {
          if ('add' in next) {
            const after = size([...model, next.add]);
            const expected = model.length >= 5 ? 'too many messages' : after > 12 ? 'too many bytes' : 'stored';
            expect(await store.add(account, Buffer.from(next.add), limits)).toBe(expected);
            if (expected === 'stored') model.push(next.add);
          } else {
            const { first } = await store.page(account);
            const upTo = first + next.remove;
            const gone = Math.max(0, Math.min(next.remove, model.length));
            expect(await store.remove(account, upTo)).toBe(gone);
            expect(await store.remove(account, upTo)).toBe(0);
            model = model.slice(gone);
          }
          expect((await store.page(account)).texts.map(String)).toEqual(model);
          const state = await keyspace.hgetall(offlineStateKeys.key(account.bareText));
          expect(state.get('bytes')?.toString()).toBe(model.length === 0 ? undefined : String(size(model)));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('know again who sent lately, and forget of too many those who sent longest ago', async () => {
    const keyspace = await open();
    const store = new OfflineStore(keyspace);
    const account = Jid.parse(`${randomUUID()}@capulet.lit`);
    const senders = offlineSenderKeys.key(account.bareText);
    const NONE = { maxMessages: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };
    const sid = (sender: number) => sender.toString(16).padStart(16, '0');
    const send = (sender: number, k = 0xffff_ffff) =>
      store.add(account, Buffer.from('a'), NONE, { sid: sid(sender), k, effect: 0 });
    // some as they are in a keyspace of an earlier version
    await keyspace.hset(senders, [[sid(0), '4294967295']]);
    // later than whoever sent anything so far, also where the clock was set back meanwhile
    const later = async () => {
      const times = [...(await keyspace.hgetall(senders)).values()].map((last) =>
        Number(String(last).split('.')[1] ?? 0),
      );
      await vi.waitFor(async () => expect(await keyspace.now()).toBeGreaterThan(Math.max(...times)), { interval: 1 });
    };
    for (let sender = 1; sender < 255; sender++) await send(sender);
    await later();
    await send(255);
    await later();
    await send(1, 0); // the number after the highest one
    await send(1, 1);
    expect(await keyspace.hlen(senders)).toBe(256);
    await send(256);
    expect(await keyspace.hlen(senders)).toBe(129);
    const size = () => keyspace.llen(offlineKeys.key(account.bareText));
    const before = await size();
    for (const [sender, k] of [
      [1, 1],
      [1, 0],
      [255, 0xffff_ffff],
      [256, 0xffff_ffff],
    ] as const) {
      expect(await send(sender, k)).toBe('stored');
    }
    expect(await size()).toBe(before);
    await send(0); // which is forgotten
    expect(await size()).toBe(before + 1);
  });

  it('keep a message though a record cannot be read that says who is there', async () => {
    const keyspace = await open();
    const store = new OfflineStore(keyspace);
    const juliet = Jid.parse(`${randomUUID()}@capulet.lit`);
    const limits = { maxMessages: 5, maxBytes: 100 };
    await keyspace.hset(sessionKeys.key(juliet.bareText), [
      ['empty', ''],
      ['short', Buffer.from([1, 2, 3])],
      ['endless', Buffer.alloc(20, 0xff)],
    ]);
    const origin = { sid: 'a'.repeat(16), k: 1, effect: 0 };
    expect(await store.add(juliet, Buffer.from('a'), limits, origin, true)).toBe('stored');
  });

  it('put back what is missing, in whatever order it is put back, and nothing that was there', async () => {
    const store = new OfflineStore(await open());
    const juliet = Jid.parse('juliet@capulet.lit');
    const origin = (k: number, sender: string) => ({ sid: sender.repeat(16), k, effect: 0 });
    const text = (k: number) => Buffer.from(`message ${k}`);
    const limits = { maxMessages: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };
    const add = (k: number, sender = 'a') => store.add(juliet, text(k), limits, origin(k, sender));
    const restore = (k: number, sender = 'a') => store.restore(juliet, text(k), origin(k, sender));
    const kept = async () => (await store.page(juliet)).texts.map((each) => String(readKept(each).text).slice(8));
    await add(1);
    await add(2);
    await store.remove(juliet, (await store.page(juliet)).first + 1); // somebody has got it
    for (const k of [1, 2]) await restore(k);
    expect(await kept()).toEqual(['2']);
    for (const k of [5, 3, 5, 3, 1]) await restore(k); // 4 is another node's
    expect(await kept()).toEqual(['2', '5', '3']);
    for (const k of [5, 4]) await add(k); // their sender says them again
    expect(await kept()).toEqual(['2', '5', '3']);
    await restore(4);
    const { first, texts } = await store.page(juliet);
    // who gets those that are not in their order has had later ones
    expect(texts.map((each) => readKept(each).origin?.k)).toEqual([2, 5, undefined, undefined]);
    expect(await store.remove(juliet, first + 4)).toBe(4);
    for (const k of [2, 1]) await restore(k, 'b'); // of whom it knows nothing
    expect(await kept()).toEqual(['2', '1']);
  });

  it('know no limit where none is set', async () => {
    const store = new OfflineStore(await open());
    const account = Jid.parse(`${randomUUID()}@capulet.lit`);
    const limits = { maxMessages: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };
    for (let i = 0; i < 3; i++) expect(await store.add(account, Buffer.alloc(1000), limits)).toBe('stored');
  });
});
