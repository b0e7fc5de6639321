import { randomUUID } from 'node:crypto';
import { openEmbedded } from '@parley/keyspace/embedded/open-embedded';
import type { Keyspace } from '@parley/keyspace/keyspace';
import { openRedis } from '@parley/keyspace/redis/open-redis';
import { Jid } from '@parley/xmpp/jid';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../../../../tests/services/redis.ts';
import { PrivateStore, privateKeys } from './private-store.ts';

async function embedded(): Promise<Keyspace> {
  const { keyspace } = await openEmbedded(undefined, {});
  onTestFinished(() => keyspace.close());
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

type Texts = ReadonlyMap<string, string>;

/** What shall be kept after a set, or why nothing changes. */
function expected(before: Texts, change: Texts, limits: { maxBytes: number; maxNamespaces: number }) {
  const size = (texts: Texts) => [...texts].flat().reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const after = new Map([...new Map([...before, ...change])].filter(([, text]) => text !== ''));
  const length = (text = '') => Buffer.byteLength(text);
  const grows = [...change].reduce((sum, [name, text]) => sum + length(text) - length(before.get(name)), 0);
  if (grows > 0 && size(after) > limits.maxBytes) return 'too-large';
  if (after.size > limits.maxNamespaces && after.size > before.size) return 'too-many';
  return after;
}

const name = fc.constantFrom('urn:a', 'urn:b', 'urn:ç', 'constructor');
const text = fc.oneof(fc.constant(''), fc.string({ maxLength: 8, unit: 'grapheme' }));
const change = fc.array(fc.tuple(name, text), { minLength: 1, maxLength: 3 }).map((entries) => new Map(entries));
const limits = fc.record({ maxBytes: fc.integer({ min: 1, max: 40 }), maxNamespaces: fc.integer({ min: 1, max: 4 }) });

describe.each([
  ['JavaScript', embedded],
  ['Lua', redis],
])('setting private XML in %s', (_, open) => {
  it('changes all or nothing, and stays within limits', async () => {
    const keyspace = await open();
    const store = new PrivateStore(keyspace);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(change, limits), { maxLength: 8 }), async (steps) => {
        const account = Jid.parse(`${randomUUID()}@capulet.lit`);
        let kept: Texts = new Map();
        for (const [texts, most] of steps) {
          const next = expected(kept, texts, most);
          expect(await store.set(account, texts, most)).toBe(typeof next === 'string' ? next : 'done');
          if (typeof next !== 'string') kept = next;
          const stored = await keyspace.hgetall(privateKeys.key(account.bareText));
          expect(new Map([...stored].map(([namespace, value]) => [namespace, String(value)]))).toEqual(kept);
        }
      }),
    );
  });
});
